"""Read JSON with the position of every value; refuse duplicate keys and NaN."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Callable
from json import decoder
from typing import Final

from stepward.domain.documents.scalars import number
from stepward.domain.documents.tree import DEEPEST_TEXT, Document, Position, TreeBuilder
from stepward.domain.numbers import NotANumber

_TOKEN: Final = re.compile(
    r'[ \t\n\r,:]*(?:([{\[])|([}\]])|(")|(-?[0-9][-+.0-9eE]*)|(true|false|null)|(NaN|-?Infinity))'
)
_scan: Final[Callable[[str, int, bool], tuple[str, int]]] = vars(decoder)["scanstring"]
"""The parser's own reading of a text in quotes; its types are not declared."""
_WORDS: Final = {"true": True, "false": False, "null": None}


def read_json_text(text: str) -> Document:
    """Read one document.

    Raises:
        Refused: It is no JSON.
    """
    reader = _Reader(text)
    _hold_to_grammar(text, reader)
    return reader.read()


def _hold_to_grammar(text: str, reader: _Reader) -> None:
    """Check the grammar with Python's parser, so that the rest need only find the positions."""
    try:
        # The text of a number may have any length: its value is checked later, with its position.
        json.loads(text, parse_int=len, parse_float=len)
    except json.JSONDecodeError as error:
        at = Position(error.lineno, error.colno)
        detail = f"it cannot be read as JSON: {error.msg}"
        raise reader.builder.refuse("not-json", detail, "fix the JSON", at) from error
    except RecursionError as error:
        detail = f"the document is nested deeper than {DEEPEST_TEXT} levels"
        fix = "take it apart"
        raise reader.builder.refuse("nested-too-deep", detail, fix, Position(1, 1)) from error


class _Reader:
    """Finds the tokens of a text that is known to be JSON."""

    def __init__(self, text: str) -> None:
        self.builder = TreeBuilder()
        self._text = text
        self._lines = [0, *(match.end() for match in re.finditer("\n", text))]

    def read(self) -> Document:
        place = 0
        while match := _TOKEN.match(self._text, place):
            place = self._take(match)
        return self.builder.document()

    def _take(self, match: re.Match[str]) -> int:
        start = match.start(match.lastindex or 0)
        at = self._position(start)
        opened, closed, quote, digits, word, endless = match.groups()
        if quote:
            return self._string(start, at)
        if opened:
            (self.builder.open_map if opened == "{" else self.builder.open_list)(at)
        elif closed:
            self.builder.close()
        elif digits:
            self.builder.value(self._number(digits, at), at)
        elif word:
            self.builder.value(_WORDS[word], at)
        else:
            self.builder.tell("not-a-number", f"{endless} is not a JSON number", "use null or a text", at)
            self.builder.value(None, at)
        return match.end()

    def _string(self, start: int, at: Position) -> int:
        value, end = _scan(self._text, start + 1, True)
        if self.builder.expects_key:
            self.builder.key(value, at)
        else:
            self.builder.value(value, at)
        return end

    def _number(self, digits: str, at: Position) -> int | float | None:
        try:
            return number(digits)
        except NotANumber as error:
            self.builder.tell("not-a-number", str(error), "write another number, or a text in quotes", at)
            return None

    def _position(self, offset: int) -> Position:
        line = bisect_right(self._lines, offset)
        return Position(line, offset - self._lines[line - 1] + 1)
