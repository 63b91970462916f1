"""Gathers refusals, so that a person mends a definition in one go and not one field a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from stepward.domain.documents.problems import MOST_PROBLEMS
from stepward.domain.errors import InvalidRequest

Entry = dict[str, str]
"""One thing that is wrong: `code`, `field`, `detail` and `fix`."""


def gathered(checks: Iterable[Callable[[], object]]) -> None:
    """Run every check, and refuse once with all that they found.

    Raises:
        InvalidRequest: At least one check refused; `errors` lists every reason, the first one is the refusal's own.
    """
    if found := refused(checks):
        raise joined(found)


def refused(checks: Iterable[Callable[[], object]]) -> list[InvalidRequest]:
    """Run every check, and return what those that refused have said."""
    found = []
    for check in checks:
        try:
            check()
        except InvalidRequest as error:
            found.append(error)
    return found


def joined(errors: Sequence[InvalidRequest]) -> InvalidRequest:
    """Make one refusal of several; a single one stays as it is."""
    if len(errors) == 1:
        return errors[0]
    return of_entries([entry for error in errors for entry in entries_of(error)])


def of_entries(entries: Sequence[Entry]) -> InvalidRequest:
    """Make the refusal that lists these reasons, each once, and what may follow from another one after it."""
    each: dict[tuple[str, str], Entry] = {}
    for one in entries:
        each.setdefault((one["field"], one["detail"]), one)
    told = sorted(each.values(), key=_stands_in)[:MOST_PROBLEMS]
    first = told[0]
    more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
    return InvalidRequest(f"{first['detail']}{more}", field=first["field"], fix=first["fix"], errors=told)


def _stands_in(entry: Entry) -> bool:
    """Whether a fault is of the rehearsal, which is held to the model and the tools that it stands in for."""
    return entry["field"].partition(".")[0] == "rehearsal"


def entries_of(error: InvalidRequest) -> list[Entry]:
    """Give all that a refusal tells, in the form of its list."""
    if error.errors:
        return [{"code": "wrong-value", **one} for one in error.errors]
    code = "wrong-value"
    return [{"code": code, "field": error.field or "body", "detail": error.detail, "fix": error.fix or ""}]


def not_told(entries: Iterable[Entry], before: Iterable[Entry]) -> list[Entry]:
    """Leave out what is said of a tool of which something was said before: the one is most often why the other is."""
    known = {place for one in before if (place := _tool_of(one["field"]))}
    return [one for one in entries if _tool_of(one["field"]) not in known]


def _tool_of(field: str) -> str | None:
    found = re.match(r"tools\.\d+(?=\.|$)", field)
    return found[0] if found else None
