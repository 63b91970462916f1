"""Which addresses are plainly public: a name may lead to these and to no others.

Everything else leads, or may lead, into the platform's own network: private and local addresses, those that carry an
address of version 4 within one of version 6, and those at which clouds tell machines their credentials.
"""

from __future__ import annotations

import ipaddress
from typing import Final

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
"""All that was given out for use; mapped, compatible, NAT64, local, unique and multicast addresses lie outside."""
_ISATAP: Final = 0x00005EFE
"""What stands before the address of version 4 of a tunnel's end, but for the bit that says whether that one is unique."""
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
    """Tell whether an address is plainly public."""
    if address in METADATA:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    if any(address in network for network in _NOT_PUBLIC_6):
        return False
    # A tunnel leads to the address within, whatever the prefix.
    return address in _GLOBAL_6 and carried(address) is None


def is_metadata(address: Address) -> bool:
    """Tell whether a cloud tells credentials there, whatever is wrapped around the address."""
    inner = carried(address)
    known = (address, *([inner] if inner else []))
    return any(
        one in METADATA or any(one in net for net in _LINK_LOCAL if net.version == one.version)
        for one in known
    )


def carried(address: Address) -> ipaddress.IPv4Address | None:
    """Find the address of version 4 that one of version 6 carries: mapped, compatible, NAT64, 6to4, Teredo or ISATAP."""
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
