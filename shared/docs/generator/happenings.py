"""Write what a run reports: its errors and its events."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from typing import Any

from docs.generator.remedies import BRANCHES, REMEDIES
from docs.generator.tables import code, meaning, page, table
from stepward.domain import errors, events
from stepward.domain.errors import StepwardError


def error_codes() -> str:
    """Write the page of every error: status, retries, meaning and fix.

    Raises:
        ValueError: An error of the tree has no remedy, or a remedy no error.
    """
    parts = [
        "`code` in a problem document, `error.code` in a run. *yes* under *retried* marks what is retried without your help."
    ]
    branches = {one.__name__: one for one in StepwardError.__subclasses__() if hasattr(errors, one.__name__)}
    codes = {one.__name__ for branch in branches.values() for one in _tree(branch)}
    if unsaid := (codes ^ REMEDIES.keys()) | (branches.keys() ^ BRANCHES.keys()):
        raise ValueError(f"say in docs.generator.remedies what to do about {sorted(unsaid)}")
    for name, said in BRANCHES.items():
        rows = [_error(one) for one in _tree(branches[name])]
        parts += [f"## {name}", said]
        parts.append(table(["code", "HTTP", "retried", "meaning", "what to do"], rows))
    return page("Errors", *parts)


def event_types() -> str:
    """Write the page of an agent run's events, with the data that the code gives each."""
    rows = sorted(dict(_yielded()).items())
    shown = [(code(f"agent.{name}"), ", ".join(map(code, fields))) for name, fields in rows]
    return page(
        "Events of a run",
        "`GET /runs/{run_id}/events` has them, oldest first, each with `id`, `seq`, `type`, `time`, `run` and `data`.",
        table(["type", "fields of `data` that are always there"], shown),
    )


def _tree(of: type[StepwardError]) -> Iterator[type[StepwardError]]:
    yield of
    for one in of.__subclasses__():
        if hasattr(errors, one.__name__):
            yield from _tree(one)


def _error(one: type[StepwardError]) -> tuple[str, ...]:
    name = one.__name__
    return code(name), str(one.http_status), "yes" if one.retryable else "", meaning(one), REMEDIES[name]


def _yielded() -> Iterator[tuple[str, tuple[str, ...]]]:
    for node in ast.walk(ast.parse(inspect.getsource(events))):
        if isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple):
            name, data = node.value.elts
            if isinstance(name, ast.Constant):
                yield str(name.value), tuple(_keys(data))


def _keys(data: Any) -> Iterator[str]:
    for key in data.keys if isinstance(data, ast.Dict) else ():
        if isinstance(key, ast.Constant):
            yield str(key.value)
