"""Names lead only to public addresses."""

from __future__ import annotations

import socket

import pytest

from stepward.domain.errors import ToolFailed
from stepward.tools import egress


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "169.254.169.254", "127.0.0.1", "::1", "fd00::1", "192.168.1.1"]
)
def test_a_name_that_leads_inside_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    public = (socket.AF_INET, 0, 0, "", ("93.184.216.34", 0))
    found = [public, (socket.AF_INET, 0, 0, "", (address, 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(ToolFailed, match="not public"):
        egress._checked_address("sneaky.example")


def test_the_checked_address_is_the_one_that_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, 0, 0, "", ("93.184.216.34", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    pool = egress._pinned_pool("https", "shop.example", None, 10)
    assert (pool.host, pool.assert_hostname) == ("93.184.216.34", "shop.example")
