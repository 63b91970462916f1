"""Read JSON with or without a byte-order mark, refusing duplicate names and lost digits."""

from __future__ import annotations

import codecs
import json
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from stepward.domain.numbers import NotANumber, decimal_of, whole_of

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""The longer first: a mark of UTF-32 begins like one of UTF-16."""
_MARK: Final = "\ufeff"


class NotText(ValueError):
    """Bytes that are no text; names the first one that is none."""


class NotJson(ValueError):
    """A text that is no JSON, or whose values cannot be stored.

    `path` leads to the value, as in `input.items.0.price`, and `fix` says how to fix it.


    """

    def __init__(self, detail: str, path: str = "", fix: str = "") -> None:
        super().__init__(f"{path}: {detail}" if path else detail)
        self.detail = detail
        self.path = path
        self.fix = fix


def text_of(raw: bytes) -> str:
    """Decode a text: UTF-8, or as its byte-order mark says; the mark itself is removed.

    Raises:
        NotText: The bytes are no text.
    """
    mark, encoding = next(((m, name) for m, name in _MARKS if raw.startswith(m)), (b"", "utf-8"))
    try:
        return raw[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        at = error.start + len(mark)
        line = raw.count(b"\n", 0, at) + 1
        raise NotText(f"it is not {encoding.upper()} (byte {at}, line {line})") from error


def without_mark(text: str) -> str:
    """Remove the byte-order mark that a decoder may have left at the beginning."""
    return text.removeprefix(_MARK)


def read_json(raw: str | bytes) -> Any:
    """Read one JSON value.

    Raises:
        NotJson: It is none, a name is there twice, or a number is none or would lose digits.
    """
    found: list[_Fault] = []
    try:
        text = without_mark(raw) if isinstance(raw, str) else text_of(raw)
        value = _decoder(found).decode(text)
    except (ValueError, RecursionError) as error:
        raise NotJson(_said(error)) from error
    if found:
        # The first may be lost with the value of a duplicate name; the last is always there.
        one = found[0] if found[0] is value or _path_to(value, found[0]) else found[-1]
        raise NotJson(one.detail, ".".join(map(str, _path_to(value, one))), one.fix)
    return value


@dataclass(eq=False)
class _Fault:
    """Marks a value that cannot be stored."""

    detail: str
    fix: str = "write the value as a text, in quotes"


def _decoder(found: list[_Fault]) -> json.JSONDecoder:
    def fault(one: _Fault) -> Any:
        found.append(one)
        return one

    def number(read: Any) -> Any:
        def reading(text: str) -> Any:
            try:
                return read(text)
            except NotANumber as error:
                return fault(_Fault(str(error)))

        return reading

    def unique(pairs: list[tuple[str, Any]]) -> Any:
        value = dict(pairs)
        if len(value) < len(pairs):
            twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
            value[twice] = fault(_Fault(f"{twice[:80]!r} is given twice", "give each name once"))
        return value

    return json.JSONDecoder(
        object_pairs_hook=unique,
        parse_float=number(decimal_of),
        parse_int=number(whole_of),
        parse_constant=lambda word: fault(_Fault(f"{word} is not a number that JSON knows")),
    )


def _said(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg}: line {error.lineno} column {error.colno}"
    return str(error)


def _path_to(value: Any, fault: _Fault) -> tuple[str | int, ...]:
    """Find the path to a fault, level by level, so that the search does not recurse."""
    level: list[tuple[tuple[str | int, ...], Any]] = [((), value)]
    while level:
        for path, one in level:
            if one is fault:
                return path
        level = [((*path, name), inner) for path, one in level for name, inner in _inside(one)]
    return ()


def _inside(value: Any) -> list[tuple[str | int, Any]]:
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []


MAX_DEPTH: Final = 100


def fault_of(value: Any) -> str | None:
    """Return why not every parser could read a value back from JSON; None if it could."""
    if _deeper_than(value, MAX_DEPTH):
        return f"it is nested deeper than {MAX_DEPTH} levels"
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return "it holds half of a surrogate pair, which is no character"
    except (TypeError, ValueError) as error:
        return f"it is not JSON: {error}"
    return None


def carried_bytes(value: Any) -> int:
    """Count the bytes of a value in a Lambda payload: as JSON, within a JSON text."""
    inner = json.dumps(value, ensure_ascii=False, default=str)
    return len(json.dumps(inner, ensure_ascii=False).encode())


def as_read(value: Any, most_chars: int = 80) -> str:
    """Format a value for a message as JSON, so that nothing is `null` and not Python's name."""
    return json.dumps(value, ensure_ascii=False, default=str)[:most_chars]


def _deeper_than(value: Any, levels: int) -> bool:
    """Walk level by level, so that the walk itself does not recurse."""
    level = [value]
    for _ in range(levels):
        level = [inner for outer in level for inner in _faults_inside(outer)]
        if not level:
            return False
    return True


def _faults_inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list | tuple) else []
