"""Parse web addresses strictly: what two programs could read differently is refused.

An allow-list is worth nothing if the list reads one host in an address and the connection another.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_PARTS: Final = re.compile(r"(https?)://([^/?#]*)([^#]*)(?:#.*)?", re.ASCII | re.IGNORECASE | re.DOTALL)
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_DOTS: Final = re.compile(r"[\u3002\uff0e\uff61]")
_UNSURE: Final = frozenset("\u00df\u03c2\u200c\u200d")
"""ß, ς and the joiners: the two standards for such names yield different hosts."""
_MOST_HOST_CHARS: Final = 253


class BadAddress(ValueError):
    """A malformed or ambiguous address; the message says why."""


@dataclass(frozen=True)
class WebAddress:
    """A normalized address: lower-case ASCII host without a last dot, no default port."""

    scheme: str
    host: str
    port: int | None
    target: str
    """Path and query, as they are sent."""

    @property
    def netloc(self) -> str:
        """Host and port, as in the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host and port: what allow-lists name."""
        return f"{self.scheme}://{self.netloc}"


def read_address(url: str) -> WebAddress:
    """Parse an absolute address.

    Args:
        url: `http://…` or `https://…`; host names may be international.

    Returns:
        Its parts in their one spelling; what follows `#` is left out, for it is never sent.

    Raises:
        BadAddress: It is none: no `//`, a backslash, blanks, a user name, a port or host that is none.
    """
    if bad := next((char for char in url if ord(char) <= 0x20 or ord(char) == 0x7F or char == "\\"), None):
        raise BadAddress(f"a web address has no {bad!r} in it")
    found = _PARTS.fullmatch(url)
    if found is None:
        raise BadAddress("a web address begins with https:// or http:// and its host")
    scheme, place, target = found[1].lower(), found[2], found[3]
    if "@" in place:
        raise BadAddress("a web address has no user name or password in it")
    host, port = _split(place)
    target = target if target.startswith("/") else f"/{target}"
    return WebAddress(scheme, _host(host), _port(port, scheme), target)


def _split(place: str) -> tuple[str, str]:
    """Split host and port; an IPv6 address is in brackets."""
    if place.startswith("["):
        host, closed, port = place[1:].partition("]")
        if not closed or (port and not port.startswith(":")):
            raise BadAddress("write an IPv6 address in brackets, as in http://[2606:4700::1111]:8080")
        return f"[{host}]", port.removeprefix(":")
    host, _, port = place.partition(":")
    return host, port


def _port(port: str, scheme: str) -> int | None:
    if not port:
        return None
    if not re.fullmatch(r"[1-9][0-9]{0,4}", port, re.ASCII) or int(port) > 65_535:
        raise BadAddress(f"{port!r} is not a port; use a number from 1 to 65535")
    return None if int(port) == DEFAULT_PORTS[scheme] else int(port)


def _host(host: str) -> str:
    if host.startswith("["):
        return _version_6(host[1:-1])
    name = _in_ascii(host).removesuffix(".")
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _version_4(name)
    if len(name) > _MOST_HOST_CHARS or not all(map(_LABEL.fullmatch, labels)):
        raise BadAddress(f"{host!r} is not a host name")
    return name


def _version_6(text: str) -> str:
    """Normalize an IPv6 address; one with a zone is refused, for it is local to a machine."""
    try:
        found = ipaddress.IPv6Address(text)
    except ValueError:
        raise BadAddress(f"[{text}] is not an IPv6 address") from None
    if found.scope_id is not None:
        raise BadAddress(f"[{text}] has a zone, which no public address has")
    return found.compressed


def _version_4(text: str) -> str:
    """Parse four plain decimal numbers.

    2130706433, 0x7f.1 and 0177.0.0.1 are read as 127.0.0.1 by some and refused by others.
    """
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise BadAddress(f"{text!r} is not an IPv4 address; write four numbers from 0 to 255") from None


def _in_ascii(host: str) -> str:
    """Encode an international name as it is looked up."""
    if host.isascii():
        return host.lower()
    if unsure := _UNSURE & set(host.lower()):
        raise BadAddress(
            f"{host!r} holds {min(unsure)!r}, by which two hosts can be meant; write it as xn--…"
        )
    try:
        return _DOTS.sub(".", host).encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise BadAddress(f"{host!r} is not a host name") from None


Address = ipaddress.IPv4Address | ipaddress.IPv6Address
METADATA: Final = frozenset(
    map(
        ipaddress.ip_address,
        (
            "169.254.169.254",  # AWS, Google, Azure, Oracle, DigitalOcean and most others
            "169.254.170.2",  # credentials of AWS's containers
            "169.254.170.23",  # the same for pods
            "169.254.0.23",  # Tencent
            "169.254.169.123",  # AWS's clock
            "169.254.169.253",  # AWS's names
            "168.63.129.16",  # Azure's host, which is a public address
            "100.100.100.200",  # Alibaba
            "192.0.0.192",  # Oracle's older one
            "fd00:ec2::254",
            "fd00:ec2::253",
            "fd00:ec2::123",
            "fd00:ec2::23",
            "fd20:ce::254",  # Google
            "fd00:42::42",  # Scaleway
        ),
    )
)


METADATA_NAMES: Final = frozenset(
    {
        "instance-data",
        "instance-data.ec2.internal",
        "metadata",
        "metadata.azure.internal",
        "metadata.goog",
        "metadata.google.internal",
        "metadata.packet.net",
        "metadata.platformequinix.com",
        "metadata.tencentyun.com",
    }
)


_LINK_LOCAL: Final = (ipaddress.ip_network("169.254.0.0/16"), ipaddress.ip_network("fe80::/10"))
_NOT_PUBLIC_4: Final = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",  # shared by carriers
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",  # documentation
            "192.31.196.0/24",
            "192.52.193.0/24",
            "192.88.99.0/24",  # relays of 6to4
            "192.168.0.0/16",
            "192.175.48.0/24",
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and the broadcast
        ),
    )
)


_GLOBAL_6: Final = ipaddress.IPv6Network("2000::/3")
"""All that was allocated for use; mapped, compatible, NAT64, local, unique and multicast addresses are outside."""
_ISATAP: Final = 0x00005EFE
"""The prefix of an ISATAP tunnel's IPv4 address, without the bit that says whether that one is unique."""
_NOT_PUBLIC_6: Final = tuple(
    map(
        ipaddress.IPv6Network,
        (
            "2001::/23",  # Teredo, benchmarks, ORCHID and other protocols' own
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4
            "2620:4f:8000::/48",
            "3fff::/20",  # documentation
        ),
    )
)


def is_public(address: Address) -> bool:
    """Return True if an address is plainly public."""
    if address in METADATA:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    if any(address in network for network in _NOT_PUBLIC_6):
        return False
    # A tunnel leads to the address within, whatever the prefix.
    return address in _GLOBAL_6 and carried(address) is None


def is_metadata(address: Address) -> bool:
    """Return True if a cloud serves credentials there, however the address is wrapped."""
    inner = carried(address)
    known = (address, *([inner] if inner else []))
    return any(
        one in METADATA or any(one in net for net in _LINK_LOCAL if net.version == one.version)
        for one in known
    )


def carried(address: Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address within an IPv6 one: mapped, NAT64, 6to4, Teredo or ISATAP."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour
    if address.teredo:
        return address.teredo[1]
    number = int(address)
    prefix = number >> 32
    is_compatible = prefix == 0 and number > 1
    is_nat64 = prefix == 0x0064FF9B << 64 or number >> 80 == 0x0064FF9B0001
    is_isatap = prefix & 0xFDFFFFFF == _ISATAP
    return ipaddress.IPv4Address(number & 0xFFFFFFFF) if is_compatible or is_nat64 or is_isatap else None
