"""A container of a test's own, for the commands of operators."""

from __future__ import annotations

import pytest

from stepward.runtime import account_limits, issue_key, model_prices, provider_keys
from stepward.runtime.config import Settings
from stepward.runtime.container import Container

COMMANDS = (account_limits, issue_key, model_prices, provider_keys)


@pytest.fixture
def container(monkeypatch: pytest.MonkeyPatch) -> Container:
    """One without a configuration: what a test has not replaced says that it is missing."""
    made = Container(Settings())
    for command in COMMANDS:
        monkeypatch.setattr(command, "container", made)
    return made
