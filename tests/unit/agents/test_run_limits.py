"""How many runs may be active is the operator's to set; tenants read it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from stepward.adapters.memory.costs import MemoryLimitsConfig
from stepward.agents.run_limits import RunLimits
from stepward.domain.budgets import Budget, BudgetScope, TenantLimits
from stepward.domain.errors import NotAllowed, StoreConflict


def test_a_tenant_reads_its_limit_and_is_refused_to_set_it() -> None:
    limits = RunLimits(MemoryLimitsConfig())
    assert limits.of("acme") == {"active": 10, "account_active": 100}
    with pytest.raises(NotAllowed) as refused:
        limits.refuse("acme")
    assert "python -m stepward.runtime.account_limits --tenant acme --active N" in str(refused.value.fix)
    assert refused.value.http_status == 403


@pytest.mark.parametrize("active", [0, -1, 10**9])
def test_an_operator_sets_a_sensible_one(active: int) -> None:
    store = MemoryLimitsConfig()
    day = Budget(scope=BudgetScope.DAY, limit_usd_micros=5)
    store.change("acme", TenantLimits(budgets=(day,), shards=2), 0)
    limits = RunLimits(store)
    limits.set_tenant("acme", 3)
    assert store.tenant("acme") == TenantLimits(active=3, shards=2, budgets=(day,))
    with pytest.raises(ValidationError):
        limits.set_tenant("acme", active)
    assert limits.of("acme")["active"] == 3


def test_somebody_elses_change_is_not_lost() -> None:
    class Late(MemoryLimitsConfig):
        late = True

        def change(self, tenant: str, limits: TenantLimits, version: int) -> None:
            if self.late:
                self.late = False
                raise StoreConflict("somebody else was first.")
            super().change(tenant, limits, version)

    store = Late()
    RunLimits(store).set_tenant("acme", 4)
    assert store.tenant("acme").active == 4
