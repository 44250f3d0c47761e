"""Network addresses. Nothing here connects to anything."""

import re
from ipaddress import ip_address, ip_network
from typing import Any, Final

from hog.stdlib.registry import function

_MASKED: Final = re.compile(r"[^/]+/\d{1,3}", re.ASCII)
_MAX_LENGTH: Final = 100
"""Longer than any address; Python would take long to find that out."""


@function(
    "isIPAddressInRange",
    2,
    ("isIPAddressInRange('10.0.0.7', '10.0.0.0/8')", "true"),
    ("isIPAddressInRange('2001:db8::1', '2001:db8::/32')", "true"),
    ("isIPAddressInRange('10.0.0.7', '10.0.0.7')", "false"),
    ("isIPAddressInRange('somewhere', '10.0.0.0/8')", "false"),
)
def is_ip_address_in_range(address: Any, network: Any) -> bool:
    """Whether the IP address lies in the network, written as `10.0.0.0/8`; false for what is malformed."""
    if not isinstance(address, str) or not isinstance(network, str):
        return False
    if len(address) > _MAX_LENGTH or len(network) > _MAX_LENGTH or not _MASKED.fullmatch(network):
        return False
    try:
        return ip_address(address) in ip_network(network, strict=False)
    except ValueError:
        return False
