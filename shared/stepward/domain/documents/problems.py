"""The problems of a document, each with position and fix, reported all at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from stepward.domain.errors import InvalidRequest

MOST_PROBLEMS: Final = 100
"""More than a person fixes at once; the rest is reported the next time."""


class Problem(BaseModel):
    """One problem of a document.

    `task` is the task's path, `field` the field within it, or within the document.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    code: str
    detail: str
    fix: str
    task: str | None = None
    field: str | None = None
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        """Format the problem as a compiler would, for terminals and editors."""
        place = f"{self.line}:{self.column}: " if self.line is not None else ""
        where = f"{self.task}: " if self.task else ""
        return f"{place}{where}{self.detail} ({self.code}; {self.fix})"


_MORE: Final = Problem(
    code="too-many-problems",
    detail=f"there are more than {MOST_PROBLEMS - 1} problems, and the search has stopped",
    fix="fix these; the rest is shown the next time",
)
_MOST_CHARS: Final = 1_000


class Refused(InvalidRequest):
    """The document has problems, so nothing was stored or started; an `InvalidRequest`."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = in_order(problems)
        first = self.problems[0]
        more = f" (and {len(self.problems) - 1} more)" if len(self.problems) > 1 else ""
        super().__init__(f"{first.detail}{more}", field=first.field, fix=first.fix)
        self.errors = [_shown(problem) for problem in self.problems]

    @property
    def code(self) -> str:
        """The code of errors that callers can fix."""
        return InvalidRequest.__name__


def _shown(problem: Problem) -> dict[str, Any]:
    return problem.model_dump(exclude_none=True)


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Sort by position, drop duplicates, and limit the number."""
    unique = dict.fromkeys(_brief(one) for one in problems)
    has_more = unique.pop(_MORE, True) is None
    end = (2**31, 2**31)
    place = {
        one: (one.line, one.column) if one.line is not None and one.column is not None else end
        for one in unique
    }
    found = sorted(unique, key=place.__getitem__)
    is_whole = not has_more and len(found) <= MOST_PROBLEMS
    return found if is_whole else [*found[: MOST_PROBLEMS - 1], _MORE]


def _brief(problem: Problem) -> Problem:
    """Cut long texts: a name may be as long as the document."""
    said = {"detail": problem.detail, "fix": problem.fix, "task": problem.task, "field": problem.field}
    long = {name: f"{text[:_MOST_CHARS]}…" for name, text in said.items() if text and len(text) > _MOST_CHARS}
    return problem.model_copy(update=long) if long else problem
