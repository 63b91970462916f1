"""Texts that other systems would take for expressions stay texts here, so whoever writes one is told the right form."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Final

from stepward.domain.documents.problems import Problem
from stepward.domain.documents.tree import Path
from stepward.models.expression_functions import names as known_functions
from stepward.models.expressions import is_expression
from stepward.workflow.checks.expressions import variables_at
from stepward.workflow.checks.order import Orders
from stepward.workflow.checks.reading import read_expression
from stepward.workflow.checks.scene import Scene, Spot
from stepward.workflow.checks.sites import Site, fields_of, texts_in

CODE: Final = "not-an-expression"
_DOUBLE: Final = re.compile(r"\$?\{\{\s*(.*?)\s*\}\}", re.DOTALL)
_JSON_PATH: Final = re.compile(r"\s*\$\$?(?:\.[A-Za-z_]|\[).*", re.DOTALL)
_BARE: Final = re.compile(r"\s*\$([A-Za-z_]\w*)(\s*\()?")
_PATH: Final = re.compile(r"[A-Za-z_][\w.\[\]'-]*")
_OUTPUTS: Final = re.compile(r"^(\$tasks\.\w+)\.(?:outputs?|result)\b")
_ROOTS: Final = {
    **dict.fromkeys(("input", "inputs", "event", "params", "payload", "trigger", "workflow"), "input"),
    **dict.fromkeys(("tasks", "task", "steps", "step", "jobs", "nodes", "needs"), "tasks"),
}
"""What others call the input and the tasks."""
_LONGEST_FIX_CHARS: Final = 160
_EXAMPLE: Final = "{% 'Dear ' & $input.name %}"


def find(scene: Scene, orders: Orders) -> Iterator[Problem]:
    """Find `{{ … }}`, `${{ … }}`, `$.path` and expressions without their brackets."""
    del orders
    for spot, inside, text in _texts(scene):
        said = _braces_within(text) if "{%" in text else _mistaken(spot, inside, text)
        if said:
            detail, fix = said
            yield scene.problem(spot, inside, CODE, detail, fix)


def told_best(problems: Iterable[Problem]) -> list[Problem]:
    """Leave out what else is wrong with a text that was meant as an expression: it has no value yet."""
    found = list(problems)
    meant = {(one.task, one.field) for one in found if one.code == CODE}
    return [one for one in found if one.code == CODE or (one.task, one.field) not in meant]


def _texts(scene: Scene) -> Iterator[tuple[Spot | None, Path, str]]:
    for inside, text in texts_in(("output",), scene.definition.output):
        yield None, inside, text
    for spot in scene.all():
        for inside, text in fields_of(spot):
            yield spot, inside, text


def _mistaken(spot: Spot | None, inside: Path, text: str) -> tuple[str, str] | None:
    if _DOUBLE.search(text):
        detail = f"{text[:60]!r} is no expression here: expressions stand in {{% … %}}"
        return detail, f"{_of_double(text)}; a text that is meant as it stands is written {{% '…' %}}"
    if _JSON_PATH.fullmatch(text):
        detail = f"{text[:60]!r} is JSONPath, which is not evaluated here"
        return detail, f"write {_whole(_of_json_path(text.strip()))}"
    is_after = spot is not None and spot.kind is not None and inside[0] in spot.kind.later
    if _is_bare(Site(spot, inside, text, is_after), text):
        return (
            f"{text[:60]!r} is a text, since it does not stand in {{% … %}}",
            f"write {_whole(text.strip())}",
        )
    return None


def _braces_within(text: str) -> tuple[str, str] | None:
    """Find `{{ … }}` where the whole text is an expression already, as a `when` is, which takes no braces."""
    if not is_expression(text):
        return None
    inner = text.strip()[2:-2].strip()
    if not _DOUBLE.search(inner) or read_expression(text).fault is None:
        return None
    plain = _DOUBLE.sub(lambda match: _said(match[1]), inner)
    return (
        f"{inner[:60]!r} is read as JSONata, which has no {{{{ … }}}}",
        f"write {plain[:_LONGEST_FIX_CHARS]}",
    )


def _is_bare(site: Site, text: str) -> bool:
    """Whether a text begins with a variable or a call, and can be read to its end."""
    begun = _BARE.match(text)
    if not begun:
        return False
    known = known_functions() if begun[2] else variables_at(site)
    return begun[1] in known and read_expression(f"{{% {text} %}}").fault is None


def _whole(expression: str) -> str:
    said = f"{{% {expression} %}}"
    return said if len(said) <= _LONGEST_FIX_CHARS else f"the whole value as one expression, as in {_EXAMPLE}"


def _of_json_path(text: str) -> str:
    """Say the same in JSONata; what Step Functions knows of the execution, a run knows by other names."""
    if text.startswith("$$"):
        return "$run.id"
    return f"$input{text[1:]}"


def _of_double(text: str) -> str:
    """Turn a text with places into one expression."""
    parts: list[str] = []
    at = 0
    for match in _DOUBLE.finditer(text):
        parts += [_quoted(text[at : match.start()]), _said(match[1])]
        at = match.end()
    parts = [part for part in (*parts, _quoted(text[at:])) if part]
    return f"write {_whole(' & '.join(parts))}"


def _quoted(text: str) -> str:
    if not text:
        return ""
    spelt = json.dumps(text, ensure_ascii=False)
    return spelt if "'" in text or '"' in text else f"'{spelt[1:-1]}'"


def _said(inner: str) -> str:
    """Spell what stands between the braces by the names that values have here."""
    path = inner.lstrip("$.")
    if not _PATH.fullmatch(path):
        return inner if inner.startswith("$") else "$input.name"
    root, dot, rest = path.partition(".")
    if root in ("item", "index", "iteration", "previous", "run", "status", "errors"):
        return f"${path}"
    if root not in _ROOTS:
        return f"$input.{path}"
    return _OUTPUTS.sub(r"\1", f"${_ROOTS[root]}{dot}{rest}")
