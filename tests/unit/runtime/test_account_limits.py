"""What an operator may set for all tenants."""

from __future__ import annotations

import pytest

from stepward.adapters.memory.costs import MemoryLimitsConfig
from stepward.domain.budgets import AccountLimits
from stepward.runtime import account_limits
from stepward.runtime.container import Container


def test_the_accounts_limit_is_set_and_shown(
    container: Container, capsys: pytest.CaptureFixture[str]
) -> None:
    store = MemoryLimitsConfig()
    store.change_account(AccountLimits(active=100, shards=4))
    container.ports.limits_store = store
    assert account_limits.main(["--active", "10000"]) == 0
    assert store.account() == AccountLimits(active=10_000, shards=4)
    assert account_limits.main([]) == 0
    assert capsys.readouterr().out == "active: 10000\n" * 2


@pytest.mark.parametrize("active", ["0", "-1", "999999999"])
def test_an_absurd_limit_is_refused(
    container: Container, capsys: pytest.CaptureFixture[str], active: str
) -> None:
    store = MemoryLimitsConfig()
    container.ports.limits_store = store
    assert account_limits.main(["--active", active]) == 2
    assert "active" in capsys.readouterr().err
    assert store.account() == AccountLimits()


def test_a_tenants_limit_is_set_and_shown(container: Container, capsys: pytest.CaptureFixture[str]) -> None:
    store = MemoryLimitsConfig()
    container.ports.limits_store = store
    assert account_limits.main(["--tenant", "acme", "--active", "3"]) == 0
    assert account_limits.main(["--tenant", "acme"]) == 0
    assert capsys.readouterr().out == "active: 3\n" * 2
    assert (store.tenant("acme").active, store.tenant("other").active, store.account().active) == (3, 10, 100)


@pytest.mark.parametrize(
    "words", [["--tenant", "No Tenant", "--active", "3"], ["--tenant", "acme", "--active", "0"]]
)
def test_a_tenants_limit_is_checked(container: Container, words: list[str]) -> None:
    container.ports.limits_store = MemoryLimitsConfig()
    assert account_limits.main(words) in (1, 2)
