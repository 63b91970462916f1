"""What one render may take: each loop, value and operation is counted, so that no template runs on without end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from stepward.domain.errors import InvalidRequest

MOST_WORK: Final = 100_000
"""How many steps one render may take: a turn of a loop is one, and so are 100 characters that an operation reads."""
MOST_RENDER_S: Final = 2.0
"""The backstop of the count: no render is worth more of a function's time."""
MOST_VALUE_CHARS: Final = 200_000
MOST_VALUE_DEPTH: Final = 50
CHARS_A_STEP: Final = 100
_LOOKS_EACH: Final = 256


class Work:
    """Counts what a render has taken.

    Args:
        now_s: The clock, in seconds from any moment; a test passes one of its own.
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._ends_s = now_s() + MOST_RENDER_S
        self._left = MOST_WORK
        self._next_look = MOST_WORK - _LOOKS_EACH

    def spend(self, steps: int = 1) -> None:
        """Take steps off what is left.

        Raises:
            InvalidRequest: The render has taken all its steps, or all its time.
        """
        self._left -= steps
        if self._left < 0:
            raise refused(
                f"the template takes more than {MOST_WORK:,} steps.",
                "loop over fewer values, and not within loops",
            )
        if self._left < self._next_look:
            self._next_look = self._left - _LOOKS_EACH
            if self._now_s() > self._ends_s:
                raise refused(f"the template takes more than {MOST_RENDER_S:g} seconds.", "let it do less")

    def each(self, values: Iterable[Any]) -> Iterator[Any]:
        """Give values one by one, each for a step."""
        for value in values:
            self.spend()
            yield value

    def weighed(self, value: Any) -> Any:
        """Return a value that is small enough, for as many steps as it is large.

        Raises:
            InvalidRequest: It has more characters and members than a value may have, or nests too deeply.
        """
        chars = 0
        level = [value]
        for _ in range(MOST_VALUE_DEPTH):
            chars += sum(len(one) if isinstance(one, str) else 1 for one in level)
            if chars > MOST_VALUE_CHARS:
                raise refused(
                    f"a value in the template grows over {MOST_VALUE_CHARS:,} characters.", "let it grow less"
                )
            level = _inside(level, MOST_VALUE_CHARS - chars)
            if not level:
                self.spend(1 + chars // CHARS_A_STEP)
                return value
        raise refused(f"a value nests deeper than {MOST_VALUE_DEPTH} levels.", "use a flatter value")


def refused(detail: str, fix: str) -> InvalidRequest:
    """Make the error for a template that cannot be rendered."""
    return InvalidRequest(detail, field="template", fix=fix)


def _inside(level: list[Any], most: int) -> list[Any]:
    """Collect what the values of a level hold, and stop where that is too much already."""
    found: list[Any] = []
    for one in level:
        if isinstance(one, dict):
            found += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple):
            found += one
        if len(found) > most:
            break
    return found
