"""How many runs may be active at once: tenants read it, and only who operates the platform sets it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

from tenacity import retry, retry_if_exception_type, stop_after_attempt

from stepward.domain.budgets import AccountLimits, TenantLimits
from stepward.domain.errors import NotAllowed, StoreConflict
from stepward.ports.limits_config import LimitsStore


@dataclass(frozen=True)
class RunLimits:
    """The use cases behind `/limits` and `python -m stepward.runtime.account_limits`."""

    limits: LimitsStore

    def of(self, tenant: str) -> dict[str, Any]:
        """Show how many runs may be active at once, of this tenant and of all together."""
        return {"active": self.limits.tenant(tenant).active, "account_active": self.limits.account().active}

    def refuse(self, tenant: str) -> NoReturn:
        """Say to a tenant who sets its limit: one that it could raise itself would protect nobody else.

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
        """Set how many of a tenant's runs may be active at once; starts heed it within 15 seconds.

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
