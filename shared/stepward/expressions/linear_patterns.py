"""Regular expressions of expressions: in linear time for a text, and counted match by match.

RE2 has no back-references, so no text makes one search run for ever. Each search may still look at the whole rest of the
text, so the searches are counted, and so is what one search may take: the size of the pattern's program times the text's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final

from jsonata.jsonata import Jsonata

from stepward.expressions.bounds import Exceeded

MAX_SEARCH: Final = 50_000_000
"""Of a pattern's instructions times a text's characters: some tenths of a second when RE2 has no memory for more states."""
_MATCH_BYTES: Final = 600


def compiled(pattern: str, flags: Any) -> LinearPattern:
    """Compile a regular expression; raises `ValueError` if RE2 cannot read it."""
    import re2  # noqa: PLC0415  only expressions with a pattern pay for it

    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = not flags.case_insensitive
    try:
        return LinearPattern(re2.compile(f"(?m){pattern}" if flags.multiline else pattern, options))
    except re2.error as error:
        raise ValueError(f"the pattern /{pattern}/ cannot be read: {error}") from error


class LinearPattern:
    """A pattern with what the library asks of one."""

    def __init__(self, pattern: Any, most: int | None = None) -> None:
        self._pattern = pattern
        self._most = most

    def first(self, most: int) -> LinearPattern:
        """Return the same pattern, which finds no more than so many matches."""
        return LinearPattern(self._pattern, most)

    def finditer(self, text: str) -> Iterator[Any]:
        """Find all matches, one by one."""
        bounds = Jsonata.CURRENT.jsonata.bounds
        bounds.step()
        if self._pattern.programsize * len(text) > MAX_SEARCH:
            raise Exceeded(
                f"a text of {len(text):,} characters is too long for the pattern /{self._pattern.pattern}/"
            )
        for match in islice(self._pattern.finditer(text), self._most):
            bounds.step()
            bounds.look()
            bounds.make(_MATCH_BYTES + match.end() - match.start())
            yield match

    def search(self, text: str) -> Any:
        """Find the first match."""
        return next(self.finditer(text), None)

    def split(self, text: str) -> list[str]:
        """Return what stands between the matches, and what their groups hold."""
        pieces, end = [], 0
        for match in self.finditer(text):
            pieces += [text[end : match.start()], *match.groups()]
            end = match.end()
        return [*pieces, text[end:]]

    def sub(self, new: str | Callable[[Any], str], text: str) -> str:
        """Put something in the place of all matches."""
        bounds = Jsonata.CURRENT.jsonata.bounds
        pieces, end = [], 0
        for match in self.finditer(text):
            piece = new(match) if callable(new) else match.expand(new)
            bounds.make_text(len(piece))
            pieces += [text[end : match.start()], piece]
            end = match.end()
        return "".join([*pieces, text[end:]])
