"""Show and set how many runs may be active at once, and show how many are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

from tenacity import retry, retry_if_exception_type, stop_after_attempt

from stepward.domain.budgets import AccountLimits, TenantLimits
from stepward.domain.errors import NotAllowed, StoreConflict
from stepward.ports.clock import Clock, from_iso, iso
from stepward.ports.costs import LimitsConfig, LimitsStore
from stepward.ports.run_queue import RunQueue


@dataclass(frozen=True)
class RunLimits:
    """The use cases behind `/limits` and `python -m stepward.runtime.account_limits`."""

    limits: LimitsStore

    def of(self, tenant: str) -> dict[str, Any]:
        """Show how many runs may be active at once, of this tenant and of all together."""
        return {"active": self.limits.tenant(tenant).active, "account_active": self.limits.account().active}

    def refuse(self, tenant: str) -> NoReturn:
        """Refuse a tenant's request to set its own limit: it protects the other tenants.

        Raises:
            NotAllowed: Always, with the operator's command.
        """
        raise NotAllowed(
            "how many runs may be active is set by who operates the platform, not by a tenant.",
            field="active",
            fix=f"ask for `python -m stepward.runtime.account_limits --tenant {tenant} --active N`; GET /limits shows what holds",
        )

    @retry(retry=retry_if_exception_type(StoreConflict), stop=stop_after_attempt(5), reraise=True)
    def set_tenant(self, tenant: str, active: int) -> None:
        """Set how many of a tenant's runs may be active at once; in effect within 15 seconds.

        Args:
            tenant: Whose runs.
            active: How many, at least 1.

        Raises:
            ValidationError: `active` is out of bounds.
        """
        limits, version = self.limits.versioned(tenant)
        changed = TenantLimits.model_validate({**dict(limits), "active": active})
        if changed != limits:
            self.limits.change(tenant, changed, version)

    def set_account(self, active: int) -> None:
        """Set how many runs of all tenants may be active at once."""
        shards = self.limits.account().shards
        self.limits.change_account(AccountLimits(active=active, shards=shards))


@dataclass(frozen=True)
class SystemStatus:
    """The use case behind `GET /system/status`: three queries, however many runs there are."""

    line: RunQueue
    limits: LimitsConfig
    clock: Clock

    def __call__(self, tenant: str) -> dict[str, Any]:
        """Return figures only; of other tenants only the total of slots held with this one's.

        The figures are read one after the other, so they may be moments apart.
        """
        mine, everybody, queued = self.line.count(tenant), self.line.count(None), self.line.view(tenant)
        limit, account_limit = self.limits.tenant(tenant).active, self.limits.account().active
        now = self.clock.now()
        oldest_s = (now - from_iso(queued.oldest_since)).total_seconds() if queued.oldest_since else None
        free = min(limit - mine.active, account_limit - everybody.active)
        return {
            "at": iso(now),
            "active": mine.active,
            # A run that has its answers and waits for a slot was parked too, and is counted there.
            "waiting": max(0, mine.parked - queued.lengths["resume"]),
            "in_line": {"total": sum(queued.lengths.values()), **queued.lengths},
            "oldest_in_line_s": None if oldest_s is None else max(0.0, round(oldest_s, 3)),
            "slots": {"limit": limit, "free": max(0, free)},
            "account": {"active": everybody.active, "limit": account_limit},
        }
