"""Assigns pieces of tool calls to their calls, which servers number in different ways.

OpenAI numbers calls by `index` and names each once. Compatible servers leave out either, send a whole call in one piece,
give every call the same number, or repeat name and id in each piece.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from stepward.domain.json_text import NotJson, read_json


@dataclass
class _Call:
    number: int
    index: int | None
    id: str | None
    tool: str
    fragments: list[str] = field(default_factory=list)

    def is_followed_by(self, tool: str, arguments: str) -> bool:
        """Return whether a piece with a tool's name begins the next call.

        It does where it names another tool, or where this call's arguments are complete.
        """
        if tool != self.tool:
            return True
        came = "".join(self.fragments).rstrip()
        return bool(arguments) and came.endswith("}") and _is_json(came)


@dataclass(frozen=True)
class Piece:
    """A piece of a call: the call's number by our own count, and whether the piece begins it."""

    number: int
    begins: bool
    tool: str
    arguments: str


class CallPieces:
    """Assigns pieces to calls, in the order in which they come."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []

    def place(self, said: Any) -> Piece | None:
        """Assign a piece to its call.

        Args:
            said: A `tool_calls` entry of a chunk.

        Returns:
            The piece; None for one that names no tool and belongs to no call.
        """
        function = said.function
        tool = (function.name if function else None) or ""
        arguments = _text(function.arguments if function else None)
        call = self._known(said, tool, arguments)
        begins = call is None
        if call is None:
            if not tool:
                return None
            call = _Call(len(self._calls), said.index, said.id or None, tool)
            self._calls.append(call)
        call.id = call.id or said.id or None
        call.fragments.append(arguments)
        return Piece(call.number, begins, call.tool, arguments)

    def _known(self, said: Any, tool: str, arguments: str) -> _Call | None:
        """Find the call that a piece continues; None where one begins."""
        if tool:
            return next((call for call in self._open(said) if not call.is_followed_by(tool, arguments)), None)
        # A piece without a name begins no call; some servers give each piece an id of its own, so the number decides.
        alike = [
            *(call for call in self._calls if said.id and call.id == said.id),
            *(call for call in self._calls if said.index is not None and call.index == said.index),
        ]
        candidates = alike or self._calls
        return candidates[-1] if candidates else None

    def _open(self, said: Any) -> list[_Call]:
        """Return the calls that a piece with a name may continue, newest first.

        Neither its number nor its id may contradict.
        """
        if said.index is None and not said.id:
            return self._calls[-1:]
        return [
            call
            for call in reversed(self._calls)
            if (said.index is None or call.index is None or call.index == said.index)
            and (not said.id or not call.id or call.id == said.id)
        ]


def _is_json(text: str) -> bool:
    try:
        read_json(text)
    except NotJson:
        return False
    return True


def _text(arguments: Any) -> str:
    """Return arguments as text; some servers send the object itself."""
    return arguments if isinstance(arguments, str) else "" if arguments is None else json.dumps(arguments)
