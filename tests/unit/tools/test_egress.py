"""One way of reading addresses, and names that lead only to public ones."""

from __future__ import annotations

import ipaddress
import random
import socket
from typing import Any

import pytest

from stepward.domain.errors import InvalidRequest, ToolFailed
from stepward.domain.web_addresses import METADATA, BadAddress, is_metadata, is_public, read_address
from stepward.tools import egress
from stepward.tools.http_get import Address, HttpGet, HttpSettings

V4 = ipaddress.IPv4Address
HOME = "http://shop.example"


def resolves_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    found = [(socket.AF_INET, 0, 0, "", (address, 0)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


def wrapped(inner: str) -> dict[str, str]:
    """Ways in which an address of version 6 carries one of version 4."""
    number = int(V4(inner))
    high, low = f"{number >> 16:x}", f"{number & 0xFFFF:x}"
    flipped = number ^ 0xFFFFFFFF
    return {
        "mapped": f"::ffff:{inner}",
        "compatible": f"::{inner}",
        "nat64": f"64:ff9b::{inner}",
        "local nat64": f"64:ff9b:1::{inner}",
        "6to4": f"2002:{high}:{low}::1",
        "isatap": f"2606:4700::5efe:{high}:{low}",
        "global isatap": f"2606:4700::200:5efe:{high}:{low}",
        "teredo": f"2001:0:4136:e378:8000:63bf:{flipped >> 16:x}:{flipped & 0xFFFF:x}",
    }


INSIDE = (
    "0.0.0.0", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254", "169.254.0.1", "172.16.0.1",
    "172.31.255.255", "192.0.0.1", "192.0.0.170", "192.0.2.1", "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.168.1.1",
    "192.175.48.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.7", "224.0.0.1", "239.255.255.255",
    "240.0.0.1", "255.255.255.255", "::", "::1", "100::1", "2001::1", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1",
    "2002::1", "3fff::1", "5f00::1", "fc00::1", "fd00::1", "fdff::1", "fe80::1", "fe80::1%eth0", "fec0::1", "feff::1",
    "ff02::1", "ff0e::1", "2620:4f:8000::1", *sorted(map(str, METADATA)),
)  # fmt: skip
PUBLIC = (
    "1.1.1.1", "8.8.8.8", "93.184.216.34", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.0.1.1",
    "198.17.0.1", "198.20.0.1", "223.255.255.255", "2606:4700::1111", "2a00:1450:4001::200e", "2001:4860:4860::8888",
    "2400:cb00::1",
)  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_a_name_that_leads_inside_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for found in ([address], ["93.184.216.34", address], [address, "93.184.216.34"]):
        resolves_to(monkeypatch, *found)
        with pytest.raises(ToolFailed, match="not public"):
            egress._checked_address("sneaky.example")


@pytest.mark.parametrize("address", PUBLIC)
def test_a_name_that_leads_outside_is_followed(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    resolves_to(monkeypatch, address)
    assert egress._checked_address("shop.example") == address


@pytest.mark.parametrize("inner", ["10.0.0.1", "127.0.0.1", "169.254.169.254", "8.8.8.8"])
def test_addresses_within_addresses_are_never_public(inner: str) -> None:
    for form, address in wrapped(inner).items():
        assert not is_public(ipaddress.ip_address(address)), form


def test_of_random_addresses_none_is_public_that_python_calls_otherwise() -> None:
    chance = random.Random(7)
    for _ in range(20_000):
        found: Any = V4(chance.getrandbits(32))
        if chance.random() < 0.5:
            found = ipaddress.IPv6Address((chance.choice([0, 1, 2, 3, 15]) << 124) | chance.getrandbits(124))
        if is_public(found):
            assert found.is_global
            assert not (found.is_multicast or found.is_reserved or found.is_link_local)


def test_no_list_leads_to_where_clouds_tell_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    resolves_to(monkeypatch, "93.184.216.34")
    literals = [str(address) for address in METADATA]
    literals += [form for inner in ("169.254.169.254", "100.100.100.200") for form in wrapped(inner).values()]
    names = ["metadata.google.internal", "metadata", "instance-data.ec2.internal", "metadata.goog"]
    for host in (*literals, "169.254.1.1", "fe80::1", *names):
        with pytest.raises(ToolFailed, match="credentials"):
            egress._checked_address(host)
    assert not is_metadata(V4("127.0.0.1"))


def test_an_address_on_the_list_is_taken_as_it_is() -> None:
    assert egress._checked_address("127.0.0.1") == "127.0.0.1"
    assert egress._checked_address("2606:4700::1111") == "2606:4700::1111"


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("HTTP://Shop.Example", HOME),
        ("http://shop.example:80/x?y#z", HOME),
        ("https://shop.example:443", "https://shop.example"),
        ("https://shop.example:8443", "https://shop.example:8443"),
        ("http://shop.example.", HOME),
        ("http://shop.example:", HOME),
        ("http://shop.example?a", HOME),
        ("http://shop.example#a", HOME),
        ("http://shop\uff0eexample", HOME),
        ("http://shop\u3002example", HOME),
        ("http://\uff33\uff28\uff2f\uff30.example", HOME),
        ("http://b\u00fccher.example", "http://xn--bcher-kva.example"),
        ("http://xn--bcher-kva.example", "http://xn--bcher-kva.example"),
        ("http://[2606:4700:0:0::1111]:8080/x", "http://[2606:4700::1111]:8080"),
        ("http://[2606:4700::1111]", "http://[2606:4700::1111]"),
        ("http://[::FFFF:127.0.0.1]/", "http://[::ffff:7f00:1]"),
        ("http://127.0.0.1:8400", "http://127.0.0.1:8400"),
        ("http://\uff11\uff12\uff17.0.0.1/", "http://127.0.0.1"),
        ("http://my_host.example", "http://my_host.example"),
    ],
)
def test_an_address_has_one_spelling(said: str, read: str) -> None:
    found = read_address(said)
    assert found.origin == read
    assert read_address(found.origin + found.target) == found


WRONG = (
    "http:/shop.example", "http:shop.example", "http:///shop.example", "//shop.example", "shop.example", "", "http://",
    "ftp://shop.example", "file:///etc/passwd", "javascript:alert(1)", "http:\\\\shop.example", "http://shop.example\\@inside/",
    "http://shop.example\\.inside", "http://me@shop.example", "http://me:secret@shop.example", "http://shop.example@10.0.0.1",
    "http://@shop.example", "http://shop.example:0", "http://shop.example:65536", "http://shop.example:080", "http://shop.example:+80",
    "http://shop.example:8o", "http://shop.example:\uff18\uff10", "http://shop.example:80:80", "http://2130706433", "http://0x7f000001",
    "http://0x7f.0.0.1", "http://0177.0.0.1", "http://127.1", "http://127.0.0.01", "http://256.0.0.1",
    "http://1.2.3.4.5", "http://shop.example.0x7f", "http://[::1", "http://::1", "http://[::1]x", "http://[fe80::1%25eth0]",
    "http://[fe80::1%eth0]", "http://[127.0.0.1]", "http://[v1.x]", "http://shop..example", "http://.shop.example", "http://shop.example..",
    "http://-shop.example", "http://shop-.example", "http://sh%6fp.example", "http://shop.example/a b", "http://shop.example/\n",
    " http://shop.example", "http://shop.example ", "ht\ttp://shop.example", "http://shop.ex\tample", "http://fa\u00df.example",
    "http://a\u200db.example", "http://" + "a" * 64 + ".example", "http://" + "a." * 127 + "example", "http://{host}/",
)  # fmt: skip


@pytest.mark.parametrize("said", WRONG)
def test_what_could_be_read_in_two_ways_is_refused(said: str) -> None:
    with pytest.raises(BadAddress):
        read_address(said)
    with pytest.raises(ToolFailed):
        egress.must_be_allowed(said, [HOME], [HOME])
    with pytest.raises(InvalidRequest) as refused:
        egress.check_allowed(said, [HOME], "config.url")
    assert (refused.value.field, bool(refused.value.fix)) == ("config.url", True)


def test_lists_are_compared_by_the_one_spelling() -> None:
    for entry in ("http://SHOP.example.", "http://shop.example:80", "http://shop\uff0eexample"):
        egress.check_allowed(entry, [HOME], "config.url")
        egress.must_be_allowed(f"{entry}/orders", [HOME], [entry])
    for other in ("https://shop.example", "http://shop.example:8080", "http://shop.example.evil.test"):
        with pytest.raises(ToolFailed):
            egress.must_be_allowed(other, [HOME], [HOME])


@pytest.mark.parametrize(
    "entry", ["http://shop.example/path", "http://shop.example?x", "shop.example", "http:shop.example"]
)
def test_an_agents_list_names_origins_only(entry: str) -> None:
    with pytest.raises(ValueError, match="allow"):
        HttpSettings(allow=[entry])


def test_the_checked_address_is_the_one_that_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    resolves_to(monkeypatch, "93.184.216.34")
    pool = egress._pinned_pool("https", "shop.example", None, 10)
    assert (pool.host, pool.assert_hostname) == ("93.184.216.34", "shop.example")


def test_public_addresses_of_version_6_are_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    here = "http://[2606:4700::1111]:8080"
    settings = HttpSettings(allow=["http://[2606:4700:0::1111]:8080"])
    HttpGet().check_settings(settings, [here])
    egress.must_be_allowed(Address(url=f"{here}/x").url, settings.allow, [here])
    assert egress._pinned_pool("http", "2606:4700::1111", 8080, 10).host == "2606:4700::1111"
