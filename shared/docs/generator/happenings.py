"""What a run tells: its errors and its events."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from typing import Any, Final

from docs.generator.tables import code, meaning, page, table
from stepward.domain import errors, events
from stepward.domain.errors import StepwardError

_MENDS: Final = {
    "CallerError": "Mend the request: `field` says what is wrong, `fix` how to mend it.",
    "PolicyStop": "Raise the limit, ask the person, or leave it: the run's own rules ended it.",
    "ModelFault": "The model is told and may try again; if a run ends by it, mend the tool, the schema or the prompt.",
    "ProviderFault": "See `stepward doctor` and the provider's own status; a fallback model answers where there is one.",
    "PlatformFault": "Ask again; if it stays, see the alarms and the logs of the function.",
    "TaskFault": "Read the task's error in the run: this one only carries it to the state machine.",
    "Bug": "Report it, with the run's id.",
}
"""What whoever meets an error of a branch can do, where the error itself does not say."""


def error_codes() -> str:
    """Write the page of every error: status, whether it is tried again, what it means, what to do."""
    parts = ["`code` in a problem document, `error.code` in a run. *again* marks what is retried by itself."]
    branches = {one.__name__: one for one in StepwardError.__subclasses__() if hasattr(errors, one.__name__)}
    if branches.keys() != _MENDS.keys():
        raise ValueError(f"say how to mend the errors of {sorted(branches.keys() ^ _MENDS.keys())}")
    for name, mend in _MENDS.items():
        rows = [_error(one) for one in _tree(branches[name])]
        parts += [f"## {name}", mend]
        parts.append(table(["code", "HTTP", "retried", "meaning"], rows))
    return page("Errors", *parts)


def event_types() -> str:
    """Write the page of the events of an agent's run, with the data that each names in the code."""
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
    return code(one.__name__), str(one.http_status), "again" if one.retryable else "", meaning(one)


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
