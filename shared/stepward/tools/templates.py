"""Variables such as `{order_id}` in templates of requests: found, checked and filled."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from stepward.domain.errors import ToolArgumentInvalid

_PLACE: Final = re.compile(r"\{([A-Za-z0-9_.-]{1,64})\}")
_WHOLE: Final = re.compile(rf"^{_PLACE.pattern}$")
_STEPS: Final = frozenset({"", ".", ".."})
"""What a segment of a path may not become: servers take it for another path."""
_BETWEEN_STEPS: Final = re.compile(r"[/\\]")
_DECODED_TIMES: Final = 4
"""Servers and proxies may each decode a value once more, some of them twice."""


def variables_in(template: Any) -> set[str]:
    """Return the variables in the texts of a template; names of fields have none.

    Args:
        template: A text, or JSON values with texts in them.

    Returns:
        The names within the braces.
    """
    return {name for text in _texts(template) for name in _PLACE.findall(text)}


def fault_of_url(url: str) -> str | None:
    """Return what is wrong with the braces of a URL, so that none is sent unfilled.

    Args:
        url: The template.

    Returns:
        What is wrong, or None.
    """
    rest = _PLACE.sub("", url)
    if "{" not in rest and "}" not in rest:
        return None
    return "braces hold the name of a place: letters, digits, `_`, `-` and `.`, as in {order_id}"


def filled_url(url: str, given: Mapping[str, Any]) -> str:
    """Fill the variables of a URL with percent-encoded values.

    Args:
        url: The template; its scheme, host and port have no places.
        given: Values by the names of places.

    Returns:
        The URL.

    Raises:
        ToolArgumentInvalid: A value is missing, is no text, number or boolean, or makes a part of the path empty,
            `.` or `..`, by which a server would find another path.
    """
    path, mark, query = url.partition("?")
    filled = "/".join(_part(part, given) for part in path.split("/"))
    return filled + mark + _PLACE.sub(lambda place: _encoded(place[1], given), query)


def filled(template: Any, given: Mapping[str, Any]) -> Any:
    """Fill the variables of a template.

    A text that is one variable alone becomes a value of its own type, and is left out without one.

    Args:
        template: A text, or JSON values with texts in them.
        given: Values by the names of places.

    Returns:
        The template with values in its places.
    """
    match template:
        case str() if whole := _WHOLE.match(template):
            return given.get(whole[1])
        case str():
            return _PLACE.sub(lambda place: text_of(given.get(place[1], "")), template)
        case dict():
            gone = {name for name, one in template.items() if _is_left_out(one, given)}
            return {name: filled(one, given) for name, one in template.items() if name not in gone}
        case list():
            return [filled(one, given) for one in template if not _is_left_out(one, given)]
    return template


def text_of(value: Any) -> str:
    """Format a value for a URL, a header or a text: texts as they are, all else as JSON.

    Args:
        value: A JSON value; a whole number has no fraction, however it was computed.

    Returns:
        The text.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, str) else json.dumps(value)


def _part(part: str, given: Mapping[str, Any]) -> str:
    names = _PLACE.findall(part)
    if not names:
        return part
    filled_part = _PLACE.sub(lambda place: _encoded(place[1], given), part)
    if leads_elsewhere(filled_part) or any(_normalised(text_of(given[name])) == "" for name in names):
        raise ToolArgumentInvalid(
            f"{names[0]}: {filled_part!r} cannot stand in a path; give a name or a number"
        )
    return filled_part


def leads_elsewhere(part: str) -> bool:
    """Return whether servers may take a segment of a path, decoded, for a step elsewhere.

    Args:
        part: The segment between two slashes, percent-encoded.

    Returns:
        Whether it is empty, `.` or `..`, or has such a step in it in any encoding: encoded again, between encoded slashes,
        before a `;`, in dots of another script, or among invisible characters.
    """
    text = part
    for _ in range(_DECODED_TIMES):
        text = unicodedata.normalize("NFKC", unquote(text))
    steps = [_normalised(step.partition(";")[0]) for step in _BETWEEN_STEPS.split(text)]
    return _normalised(text) == "" or any(step in _STEPS - {""} for step in steps)


def fault_of_path(url: str) -> str | None:
    """Return which segment of a whole URL's path leads elsewhere, for URLs of other origin.

    Args:
        url: The URL; a slash at its end is nothing to refuse.

    Returns:
        What is wrong, or None.
    """
    parts = urlsplit(url).path.removeprefix("/").removesuffix("/").split("/")
    bad = [part for part in parts if leads_elsewhere(part)] if parts != [""] else []
    return f"{bad[0]!r} cannot stand in a path" if bad else None


def _normalised(text: str) -> str:
    """Normalise dots and slashes to ASCII, and remove characters that some servers ignore."""
    plain = unicodedata.normalize("NFKC", text)
    return "".join(char for char in plain if unicodedata.category(char)[0] not in "CZ")


def _encoded(name: str, given: Mapping[str, Any]) -> str:
    value = given.get(name)
    if value is None or isinstance(value, dict | list):
        found = "nothing" if value is None else "a list" if isinstance(value, list) else "an object"
        raise ToolArgumentInvalid(
            f"{name}: {found} cannot stand in a URL; give a text, a number or a boolean"
        )
    return quote(text_of(value), safe="")


def _is_left_out(template: Any, given: Mapping[str, Any]) -> bool:
    whole = _WHOLE.match(template) if isinstance(template, str) else None
    return bool(whole and whole[1] not in given)


def _texts(template: Any) -> Iterator[str]:
    pending = [template]
    while pending:
        one = pending.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            pending.extend(one.values())
        elif isinstance(one, list | tuple):
            pending.extend(one)
