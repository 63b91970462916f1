"""Places such as `{order_id}` in a described request: found, checked and filled by one rule, whatever describes it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from stepward.domain.errors import ToolArgumentInvalid

_PLACE: Final = re.compile(r"\{([A-Za-z0-9_.-]{1,64})\}")
_WHOLE: Final = re.compile(rf"^{_PLACE.pattern}$")
_STEPS: Final = ("", ".", "..")
"""What a part of a path may not become: servers take it for another path."""


def places_in(template: Any) -> set[str]:
    """Name the places in the texts of a template; names of fields have none.

    Args:
        template: A text, or JSON values with texts in them.

    Returns:
        The names within the braces.
    """
    return {name for text in _texts(template) for name in _PLACE.findall(text)}


def fault_of_url(url: str) -> str | None:
    """Say which braces of a URL are no place, so that none is sent as it stands.

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
    """Fill the places of a URL with percent-encoded values.

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
    """Fill the places of a template; a value that is one place alone keeps its type, and goes if nothing was given.

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
    """Spell a value in a URL, a header or a text: texts as they are, all else as JSON.

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
    if filled_part in _STEPS or any(given[name] == "" for name in names):
        raise ToolArgumentInvalid(
            f"{names[0]}: {filled_part!r} cannot stand in a path; give a name or a number"
        )
    return filled_part


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
