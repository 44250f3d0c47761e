"""Network addresses. Nothing here connects to anything."""

from ipaddress import ip_address, ip_network
from typing import Any

from hog.stdlib.registry import function


@function("isIPAddressInRange", 2, ("isIPAddressInRange('10.0.0.7', '10.0.0.0/8')", "true"))
def is_ip_address_in_range(address: Any, network: Any) -> bool:
    """Whether the IP address lies in the network, written with its mask; false for what is malformed."""
    if not isinstance(address, str) or not isinstance(network, str) or "/" not in network:
        return False
    try:
        return ip_address(address) in ip_network(network, strict=False)
    except ValueError:
        return False
