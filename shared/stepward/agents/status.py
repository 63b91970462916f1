"""Shows how a tenant's part of the system stands: who is active, who waits, who is in line, what is free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stepward.ports.clock import Clock, from_iso, iso
from stepward.ports.limits_config import LimitsConfig
from stepward.ports.line import Line


@dataclass(frozen=True)
class SystemStatus:
    """The use case behind `GET /system/status`: three queries, however many runs there are; limits are remembered."""

    line: Line
    limits: LimitsConfig
    clock: Clock

    def __call__(self, tenant: str) -> dict[str, Any]:
        """Answer figures only: of other tenants nothing but how many slots they hold together with this one.

        The figures are read one after the other, so they may be moments apart.
        """
        mine, everybody, look = self.line.count(tenant), self.line.count(None), self.line.look(tenant)
        limit, account_limit = self.limits.tenant(tenant).active, self.limits.account().active
        now = self.clock.now()
        oldest_s = (now - from_iso(look.oldest_since)).total_seconds() if look.oldest_since else None
        free = min(limit - mine.active, account_limit - everybody.active)
        return {
            "at": iso(now),
            "active": mine.active,
            # Who has its answers and stands in line for a slot was parked too, and is counted there.
            "waiting": max(0, mine.parked - look.lengths["resume"]),
            "in_line": {"total": sum(look.lengths.values()), **look.lengths},
            "oldest_in_line_s": None if oldest_s is None else max(0.0, round(oldest_s, 3)),
            "slots": {"limit": limit, "free": max(0, free)},
            "account": {"active": everybody.active, "limit": account_limit},
        }
