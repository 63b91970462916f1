"""Find the name that was probably meant, for the fix of an error."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches
from heapq import nlargest
from os.path import commonprefix
from typing import Final

_MOST_COMPARED: Final = 40
_LONG_LIST: Final = 1_000
_MOST_CHARS: Final = 80


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most similar to another; None where none is.

    Comparing is slow, so of many names only those with the same beginnings and ends are compared, and of a long list
    only those of about the same length.
    """
    names: Collection[str] = list(known)
    if len(name) >= 3 and (begun := [one for one in names if one.startswith(name)]):
        return min(begun, key=len)
    alike: Sequence[str] = [one for one in names if len(names) < _LONG_LIST or abs(len(one) - len(name)) <= 3]
    if len(alike) > _MOST_COMPARED:
        alike = nlargest(_MOST_COMPARED, alike, key=lambda one: _ends_shared(name, one))
    found = get_close_matches(name[:_MOST_CHARS], alike, n=1)
    return found[0] if found else None


def _ends_shared(name: str, other: str) -> int:
    """Count the characters that two names share at their beginnings and at their ends."""
    pairs = [name, other], [name[::-1], other[::-1]]
    return sum(len(commonprefix(pair)) for pair in pairs)  # noqa: RUF071  of names, not of paths


def did_you_mean(name: str, known: Iterable[str], otherwise: str) -> str:
    """Return "did you mean …?" with the nearest name, or what to do where none is near."""
    near = nearest(name, known)
    return f"did you mean {near!r}?" if near else otherwise


def choices_with_nearest(name: str, known: Iterable[str], choices: str) -> str:
    """Return "did you mean …?" if a name is near, and always the choices.

    Args:
        name: What was written.
        known: The names that exist.
        choices: What to do else, such as "use one of a, b".
    """
    near = nearest(name, known)
    return f"did you mean {near!r}? {choices}" if near else choices
