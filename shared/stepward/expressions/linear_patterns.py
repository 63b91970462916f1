"""Regular expressions of expressions, in linear time and with counted matches.

RE2 has no back-references, so no text makes one search run forever. Each search may still read the whole rest of the
text, so the searches are counted, and each is limited by the size of the pattern's program times the text's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final

from jsonata.jsonata import Jsonata

from stepward.expressions.bounds import Exceeded

MAX_SEARCH: Final = 50_000_000
"""Instructions of a pattern times characters: some tenths of a second if RE2 runs out of memory."""
_MATCH_BYTES: Final = 600


def compiled(pattern: str, flags: Any) -> LinearPattern:
    """Compile a regular expression.

    Raises:
        ValueError: RE2 cannot read it.
    """
    import re2  # noqa: PLC0415  only expressions with a pattern pay for it

    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = not flags.case_insensitive
    try:
        return LinearPattern(re2.compile(f"(?m){pattern}" if flags.multiline else pattern, options))
    except re2.error as error:
        raise ValueError(f"the pattern /{pattern}/ cannot be read: {error}") from error


class LinearPattern:
    """A pattern with the methods that the library calls."""

    def __init__(self, pattern: Any, most: int | None = None) -> None:
        self._pattern = pattern
        self._most = most

    def first(self, most: int) -> LinearPattern:
        """Return the same pattern with a limit of matches."""
        return LinearPattern(self._pattern, most)

    def finditer(self, text: str) -> Iterator[Any]:
        """Yield all matches."""
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
        """Return the first match."""
        return next(self.finditer(text), None)

    def split(self, text: str) -> list[str]:
        """Return the texts between the matches, and the texts of their groups."""
        pieces, end = [], 0
        for match in self.finditer(text):
            pieces += [text[end : match.start()], *match.groups()]
            end = match.end()
        return [*pieces, text[end:]]

    def sub(self, new: str | Callable[[Any], str], text: str) -> str:
        """Replace all matches."""
        bounds = Jsonata.CURRENT.jsonata.bounds
        pieces, end = [], 0
        for match in self.finditer(text):
            piece = new(match) if callable(new) else match.expand(new)
            bounds.make_text(len(piece))
            pieces += [text[end : match.start()], piece]
            end = match.end()
        return "".join([*pieces, text[end:]])
