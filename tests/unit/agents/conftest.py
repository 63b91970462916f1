"""What tests of agents are given."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stepward.models import catalog
from tests.unit.agents.paying import Paid


@pytest.fixture
def paid(monkeypatch: pytest.MonkeyPatch) -> Iterator[Paid]:
    backend = Paid()
    monkeypatch.setattr(catalog, "gateway_for", lambda *_: backend)
    yield backend
