"""The line: runs that wait for a slot, by tenant, and the flags that tell those who free one."""

from __future__ import annotations

from typing import Protocol

from stepward.domain.budgets import AccountLimits, TenantLimits
from stepward.domain.line import InLine


class Line(Protocol):
    """The runs in line and the counters of slots; reads are strongly consistent."""

    def first(self, tenant: str, limit: int) -> list[InLine]:
        """Read the runs that are served next, in order."""

    def leave(self, waiting: InLine) -> None:
        """Take a run out of the line that needs no slot any more."""

    def flag(self, tenant: str, limits: TenantLimits, account: AccountLimits | None) -> None:
        """Ask whoever frees a slot of the tenant to say so; with `account`, whoever frees any slot."""

    def unflag(self, tenant: str, limits: TenantLimits) -> None:
        """Nobody of the tenant waits any more; whoever takes the flag away looks at the line once more."""

    def unflag_account(self, account: AccountLimits) -> None:
        """No tenant waits any more; whoever takes the flag away looks for waiting tenants once more."""

    def waiting_tenants(self, limit: int) -> list[str]:
        """Name tenants whose line had somebody in it when it was last looked at."""

    def lengths(self, tenant: str) -> dict[str, int]:
        """Count the line by priority: resume, high, normal, low."""

    def active(self, tenant: str | None, shards: int) -> int:
        """Count the slots that are taken, of a tenant or of all."""


class Nudges(Protocol):
    """Messages that a tenant's line wants to be looked at; one too many does nothing."""

    def send(self, tenant: str) -> None:
        """Ask for a look at a tenant's line."""
