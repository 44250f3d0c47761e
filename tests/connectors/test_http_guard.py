"""The address guard: which addresses are refused, and which spellings of a host are an address."""

import re
from ipaddress import IPv4Address, ip_address, ip_network

import pytest

from connectors.http_guard import Guard, literal

REFUSED = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.1.1",
    "169.254.169.254",
    "168.63.129.16",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "64:ff9b:1::808:808",
    "100::1",
    "2001::1",
    "2001:0:808:808::1",
    "2001:db8::1",
    "2002:a00:1::1",
    "2002:7f00:1::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.0.1",
    "172.32.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2002:808:808::1",
    "2001:4860:4860::8888",
    "2606:4700::1111",
]


@pytest.mark.parametrize("text", REFUSED)
def test_is_refused(text: str) -> None:
    assert Guard().refuses(ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_is_public(text: str) -> None:
    assert not Guard().refuses(ip_address(text))


def test_an_allowed_network_is_open_and_its_neighbours_are_not() -> None:
    guard = Guard([ip_network("10.1.0.0/16"), ip_network("fd12::/32")])
    assert not guard.refuses(ip_address("10.1.2.3"))
    assert not guard.refuses(ip_address("fd12::1"))
    assert guard.refuses(ip_address("10.2.0.1"))
    assert guard.refuses(ip_address("127.0.0.1"))


@pytest.mark.parametrize(
    "text", ["169.254.169.254", "100.100.100.200", "fd00:ec2::254", "fd20:ce::254", "168.63.129.16"]
)
def test_metadata_opens_only_for_exactly_that_host(text: str) -> None:
    address = ip_address(text)
    everything = [ip_network("0.0.0.0/0"), ip_network("::/0"), ip_network("169.254.0.0/16"), ip_network("fd00::/8")]
    assert Guard(everything).refuses(address)
    assert not Guard([ip_network(text)]).refuses(address)


@pytest.mark.parametrize("text", ["::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1"])
def test_metadata_inside_an_ipv6_address_stays_closed(text: str) -> None:
    assert Guard([ip_network("::/0"), ip_network("169.254.169.254/32")]).refuses(ip_address(text))


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("127.0.1", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("0x7F.0x0.0x0.0x1", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("017700000001", "127.0.0.1"),
        ("0", "0.0.0.0"),
        ("0x", "0.0.0.0"),
        ("10.65535", "10.0.255.255"),
        ("8.8.8.8", "8.8.8.8"),
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("::ffff:7f00:1", "::ffff:127.0.0.1"),
    ],
)
def test_every_spelling_of_an_address_is_one(host: str, address: str) -> None:
    assert literal(host) == ip_address(address)


@pytest.mark.parametrize(
    "host", ["example.com", "1.example.com", "localhost", "0x7f.example", "a1", "x.1a", "127.0.0.1.nip.io"]
)
def test_a_name_is_no_address(host: str) -> None:
    assert literal(host) is None


LARGE = "a part of the IPv4 address is too large"
LAST = "a host name whose last label is a number is not a name and not an address"


@pytest.mark.parametrize(
    ("host", "error"),
    [
        ("1.2.3.256", LARGE),
        ("256.1", LARGE),
        ("4294967296", LARGE),
        ("1.2.3.4.5", LAST),
        ("example.1", LAST),
        ("1..1", LAST),
        ("08.0.0.1", "a part of the IPv4 address starts with 0 but is not octal"),
        ("fe80::1%eth0", "an IPv6 address with a zone id cannot be a destination"),
        ("1:2:3", "it is not an IPv6 address"),
    ],
)
def test_what_only_looks_like_an_address_is_an_error(host: str, error: str) -> None:
    with pytest.raises(ValueError, match=re.escape(error)):
        literal(host)


@pytest.mark.parametrize("value", [0, 1, 0x7F000001, 0xFFFFFFFF])
def test_decimal_hex_and_octal_agree(value: int) -> None:
    assert literal(str(value)) == literal(hex(value)) == literal(f"0{value:o}") == IPv4Address(value)
