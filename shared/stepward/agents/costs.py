"""Shows what was spent, from the book of costs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date
from typing import Any, Final

from stepward.domain.costs import CostBy, CostSums, grouped, in_sum
from stepward.domain.errors import InvalidRequest
from stepward.ports.clock import Clock
from stepward.ports.costs import CostBook

MOST_DAYS: Final = 92


@dataclass(frozen=True)
class ShowCosts:
    """The use case behind `GET /costs`."""

    book: CostBook
    clock: Clock

    def __call__(self, tenant: str, query: dict[str, str]) -> dict[str, Any]:
        """Add up the tenant's costs of some days, grouped; this month by default."""
        by = _by(query.get("by", CostBy.DAY))
        first, last = self._days(query)
        lines = self.book.lines(tenant, first.isoformat(), last.isoformat())
        groups = grouped(lines, by)
        return {
            "by": by.value,
            "from": first.isoformat(),
            "to": last.isoformat(),
            "costs": [
                {by.value: tenant if by is CostBy.TENANT else n, **_shown(s)} for n, s in groups.items()
            ],
            "total": _shown(in_sum(lines)),
        }

    def _days(self, query: dict[str, str]) -> tuple[date, date]:
        today = self.clock.now().astimezone(UTC).date()
        last = _day("to", query["to"]) if "to" in query else today
        first = _day("from", query["from"]) if "from" in query else last.replace(day=1)
        if first > last:
            raise InvalidRequest(f"from {first} is after to {last}.", field="from", fix="swap the two days")
        if (last - first).days >= MOST_DAYS:
            raise InvalidRequest(
                f"{first} to {last} are {(last - first).days + 1} days.",
                field="from",
                fix=f"ask for {MOST_DAYS} days at most",
            )
        return first, last


def _by(word: str) -> CostBy:
    if word not in set(CostBy):
        known = ", ".join(CostBy)
        raise InvalidRequest(f"by is {word[:40]!r}.", field="by", fix=f"use one of: {known}")
    return CostBy(word)


def _day(field: str, text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise InvalidRequest(f"{field} is {text[:40]!r}.", field=field, fix="write it as 2026-11-21")
    return day


def _shown(sums: CostSums) -> dict[str, int]:
    return {**sums.sums, "total_usd_micros": sums.total_usd_micros}
