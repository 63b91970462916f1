"""Reads parts of a stored result that was too large for the model."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from pydantic import Field

from stepward.domain.errors import NotFound, ToolArgumentInvalid, ToolFailed
from stepward.domain.numbers import Whole
from stepward.domain.tools import Effect, Placement
from stepward.tools.base import Arguments, Settings, Tool, ToolContext
from stepward.tools.large_results import SHOWN_BYTES, summary

_REFERENCE: Final = r"^run_[0-9A-HJKMNP-TV-Z]{26}/[A-Za-z0-9_.-]{1,100}$"
_MOST_BYTES: Final = SHOWN_BYTES - 2_000


class Part(Arguments):
    """Which part of which result."""

    reference: str = Field(pattern=_REFERENCE, description="The `reference` of a large result.")
    path: str = Field(
        default="",
        max_length=500,
        description="Where to look within JSON, as in orders.0.lines; empty for all.",
    )
    start: Whole = Field(
        default=0,
        ge=0,
        alias="from",
        description="The first character of a text, or item of a list, counted from 0.",
    )
    length: Whole = Field(default=4_000, ge=1, le=20_000, description="How many characters or items.")


class ReadResult(Tool[Settings, Part]):
    """Reads a part of a large result of the same run."""

    name = "read_result"
    description = "Reads a part of a large result by its reference: characters of a text, items of a list, or an object's value."
    effect = Effect.NONE
    placement = Placement.INLINE
    timeout_s = 10
    settings = Settings
    arguments = Part

    def run(self, arguments: Part, settings: Settings, context: ToolContext) -> Any:
        """Return a part of a text or list, any other value whole, or a summary of a large one.

        A part is `{"value", "from", "of"}`, anything else `{"value"}`.
        """
        del settings
        found = _at(_read(arguments.reference, context), arguments.path)
        if not isinstance(found, str | list):
            return {"value": found} if _fits(found) else {"summary": summary(found), "hint": "give a `path`"}
        part = found[arguments.start : arguments.start + arguments.length]
        if not _fits(part):
            raise ToolFailed(f"{len(part)} items of it take more than {_MOST_BYTES} bytes; ask for fewer.")
        return {"value": part, "from": arguments.start, "of": len(found)}


def _read(reference: str, context: ToolContext) -> Any:
    run, _, call = reference.partition("/")
    if context.results is None or run not in (context.run, *context.family):
        raise ToolFailed(f"{reference} is not a result of this run.")
    try:
        return json.loads(context.results.read(context.tenant, run, call))
    except NotFound as error:
        raise ToolFailed(f"there is no result {reference}.") from error


def _at(value: Any, path: str) -> Any:
    for depth, name in enumerate(part for part in path.split(".") if part):
        try:
            value = value[_index(name)] if isinstance(value, list) else value[name]
        except (KeyError, IndexError, ValueError, TypeError) as error:
            found = json.dumps(summary(value))[:400]
            raise ToolArgumentInvalid(f"path: part {depth + 1}, {name!r}, is not there; {found}") from error
    return value


def _index(name: str) -> int:
    if not re.fullmatch("-?[0-9]{1,9}", name):
        raise ValueError(f"{name} is not an index of a list")
    return int(name)


def _fits(value: Any) -> bool:
    return len(json.dumps(value, ensure_ascii=False).encode()) <= _MOST_BYTES
