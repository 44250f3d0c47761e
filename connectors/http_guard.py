"""Says which network addresses a destination may reach. Pure: it resolves nothing and opens nothing.

Without an allow-list only globally routable unicast addresses pass. An IPv6 address that leads to an IPv4 one (mapped,
NAT64, 6to4) is judged by that one. Addresses of cloud metadata services hand out credentials: a broad allow entry does
not open them, only an entry for exactly that host does.
"""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Source: the instance metadata pages of AWS (169.254.169.254, fd00:ec2::254), AWS ECS (169.254.170.2, 169.254.170.23,
# fd00:ec2::23), Google Cloud (fd20:ce::254), Azure (168.63.129.16), Alibaba Cloud (100.100.100.200),
# Oracle Cloud (192.0.0.192), Scaleway (169.254.42.42, fd00:42::42), as of November 2026.
METADATA: frozenset[Address] = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",
        "169.254.170.2",
        "169.254.170.23",
        "169.254.42.42",
        "168.63.129.16",
        "100.100.100.200",
        "192.0.0.192",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",
        "fd00:42::42",
    )
)

_NAT64 = IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST_V6 = IPv6Network("2000::/3")

# `is_global` of some 3.11 and 3.12 releases lets these pass. Source: the IANA special-purpose address registries.
_RESERVED: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in ("192.0.0.0/24", "192.88.99.0/24", "224.0.0.0/3", "2001::/23", "2001:db8::/32", "3fff::/20")
)

# Source: RFC 6761 (localhost), RFC 6762 (local) and its appendix G (the next six), RFC 8375 (home.arpa); the rest are
# what Kubernetes, the older /etc/hosts files, and the metadata services of Google and Tencent Cloud go by, 2026-11.
_PRIVATE_NAME = re.compile(
    r"[^.]+"
    r"|(.+\.)?(localhost|local|intranet|internal|private|corp|home|lan|home\.arpa|svc|localdomain)"
    r"|metadata\.goog|metadata\.tencentyun\.com",
    re.IGNORECASE,
)

_NUMBER = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")


class Guard:
    """Judges addresses against the rules above and an allow-list."""

    def __init__(self, allow: Sequence[Network] = ()) -> None:
        """`allow` opens networks that would be refused."""
        self._allow = tuple(allow)

    def refuses(self, address: Address) -> bool:
        """Whether a connection to this address is refused."""
        if address in METADATA or embedded(address) in METADATA:
            return not any(address in network and network.num_addresses == 1 for network in self._allow)
        return not (any(address in network for network in self._allow) or is_public(address))


def is_public(address: Address) -> bool:
    """Whether the address, or the IPv4 address it leads to, is globally routable unicast."""
    if isinstance(address, IPv6Address):
        inner = embedded(address)
        if inner is not None:
            return is_public(inner)
        if address not in _GLOBAL_UNICAST_V6:
            return False
    return address.is_global and not any(address in network for network in _RESERVED)


def embedded(address: Address) -> IPv4Address | None:
    """The IPv4 address that packets to this IPv6 address end at; None for an ordinary one."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour


def is_private_name(host: str) -> bool:
    """Whether a name can only mean something in a private network: what a proxy that looks it up must not be asked."""
    return _PRIVATE_NAME.fullmatch(host.removesuffix(".")) is not None


def literal(host: str) -> Address | None:
    """The address that a URL's host is, when it is one and not a name.

    Takes every spelling of an IPv4 address that the C library would connect to: `127.1`, `0x7f.0.0.1`, `2130706433`,
    `0177.0.0.1`. Such hosts never reach the resolver, so nobody else checks them.

    Raises:
        ValueError: the host looks like an address but is none, or it carries a zone id.
    """
    if ":" in host:
        if "%" in host:
            raise ValueError("an IPv6 address with a zone id cannot be a destination")
        try:
            return IPv6Address(host.strip("[]"))
        except ValueError:
            raise ValueError("it is not an IPv6 address") from None
    parts = host.removesuffix(".").split(".")
    if not _NUMBER.fullmatch(parts[-1]):
        return None
    if len(parts) > 4 or not all(_NUMBER.fullmatch(part) for part in parts):
        raise ValueError("a host name whose last label is a number is not a name and not an address")
    *high, last = (_number(part) for part in parts)
    if any(part > 255 for part in high) or last >= 256 ** (4 - len(high)):
        raise ValueError("a part of the IPv4 address is too large")
    value = last
    for position, part in enumerate(high):
        value += part << (8 * (3 - position))
    return IPv4Address(value)


def _number(text: str) -> int:
    if text[:2] in ("0x", "0X"):
        return int(text[2:] or "0", 16)
    if len(text) > 1 and text[0] == "0":
        if not all(digit in "01234567" for digit in text):
            raise ValueError("a part of the IPv4 address starts with 0 but is not octal")
        return int(text, 8)
    return int(text)
