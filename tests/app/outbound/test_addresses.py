import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.config import NetworkPort
from app.outbound.addresses import METADATA, SPECIAL, refusal

# A second copy of the table on purpose: whoever takes a row out of one must face the other.
SAMPLES = {
    "0.1.2.3": "this network",
    "10.1.2.3": "private network",
    "100.64.0.1": "carrier's shared network",
    "127.0.0.1": "this machine",
    "169.254.1.1": "link-local",
    "172.31.255.255": "private network",
    "192.0.0.9": "IETF protocol assignments",
    "192.0.2.1": "documentation",
    "192.31.196.1": "AS112 name service",
    "192.52.193.1": "multicast tunnel relay",
    "192.88.99.1": "6to4 relay",
    "192.168.0.1": "private network",
    "192.175.48.1": "AS112 name service",
    "198.19.0.1": "benchmarks",
    "198.51.100.1": "documentation",
    "203.0.113.1": "documentation",
    "239.255.255.255": "multicast",
    "255.255.255.255": "broadcast",
    "240.0.0.1": "reserved",
    "::": "unspecified",
    "::1": "this machine",
    "::808:808": "IPv4-compatible",
    "::ffff:0:8.8.8.8": "IPv4-translated",
    "64:ff9b:1::808:808": "local NAT64",
    "100::1": "discard-only",
    "100:0:0:1::1": "dummy prefix",
    "2001:0:808:808::f7f7:f7f7": "Teredo",
    "2001:2::1": "benchmarks",
    "2001:3::1": "multicast tunnel relay",
    "2001:4:112::1": "AS112 name service",
    "2001:10::1": "ORCHID",
    "2001:20::1": "ORCHIDv2",
    "2001:30::1": "drone identities",
    "2001:100::1": "IETF protocol assignments",
    "2001:db8::1": "documentation",
    "2002:808:808::1": "6to4",
    "2620:4f:8000::1": "AS112 name service",
    "3ffe::1": "6bone",
    "3fff:fff::1": "documentation",
    "5f00::1": "segment routing",
    "fd12::1": "private network",
    "fe80::1": "link-local",
    "fec0::1": "site-local",
    "ff02::1": "multicast",
    "1fff::1": "reserved",
    "4000::1": "reserved",
    "9000::1": "reserved",
}
PUBLIC = (
    "1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "149.154.167.220", "172.15.0.1",
    "172.32.0.1", "169.253.1.1", "192.0.1.1", "198.17.1.1", "198.20.0.1", "223.255.255.255",
    "2001:4860:4860::8888", "2606:4700::1111", "2a00:1450::1", "2001:67c:4e8::1", "3fff:1000::1",
    "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
)  # fmt: skip
WRAPS = {
    "mapped": "::ffff:{v4}",
    "compatible": "::{v4}",
    "translated": "::ffff:0:{v4}",
    "NAT64": "64:ff9b::{v4}",
    "local NAT64, short": "64:ff9b:1:{high}:0{low8}:{low0}00::",
    "local NAT64, long": "64:ff9b:1::{v4}",
    "6to4": "2002:{high}:{low}::1",
    "Teredo client": "2001:0:808:808::{nhigh}:{nlow}",
    "Teredo server": "2001:0:{high}:{low}::f7f7:f7f7",
    "ISATAP": "2a00:1450::5efe:{v4}",
    "ISATAP, unique": "2a00:1450::200:5efe:{v4}",
}
ipv4 = st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address)


def is_public(address) -> bool:
    return refusal(address) is None


def wrap(style: str, text: str) -> ipaddress.IPv6Address:
    number = int(ipaddress.IPv4Address(text))
    high, low = number >> 16, number & 0xFFFF
    return ipaddress.IPv6Address(
        WRAPS[style].format(
            v4=text,
            high=f"{high:x}",
            low=f"{low:x}",
            low8=f"0{low >> 8:02x}"[-2:],
            low0=f"{low & 255:02x}",
            nhigh=f"{high ^ 0xFFFF:x}",
            nlow=f"{low ^ 0xFFFF:x}",
        )
    )


@pytest.mark.parametrize(("text", "name"), SAMPLES.items())
def test_every_special_range_is_refused_by_its_name(text: str, name: str) -> None:
    assert refusal(ipaddress.ip_address(text)) == name


def test_every_row_of_the_table_is_what_refuses_its_sample() -> None:
    first = [
        next(row for row in SPECIAL if ipaddress.ip_address(text) in row.network)
        for text in SAMPLES
    ]
    assert first == list(SPECIAL)


@pytest.mark.parametrize("row", SPECIAL, ids=lambda row: str(row.network))
def test_both_ends_of_every_range_are_refused(row) -> None:
    assert not is_public(row.network[0])
    assert not is_public(row.network[-1])


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_pass(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("style", WRAPS)
@pytest.mark.parametrize(
    "text", ["127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1"]
)
def test_a_forbidden_address_stays_forbidden_in_any_wrapping(style: str, text: str) -> None:
    assert not is_public(wrap(style, text))


@pytest.mark.parametrize("style", WRAPS)
@pytest.mark.parametrize(
    "text", ["169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192"]
)
def test_no_wrapping_leads_to_metadata_even_if_everything_is_allowed(style: str, text: str) -> None:
    everything = [ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")]
    assert "metadata" in (refusal(wrap(style, text), everything) or "")


METADATA_SAMPLES = (
    "169.254.169.254", "169.254.169.253", "169.254.169.123", "169.254.170.2", "169.254.170.23",
    "169.254.0.23", "169.254.10.10", "169.254.42.42", "100.100.100.200", "168.63.129.16",
    "192.0.0.192", "fd00:ec2::254", "fd00:ec2::253", "fd00:ec2::123", "fd00:ec2::23",
    "fd20:ce::254", "fd00:42::42", "fd00:c1::a9fe:a9fe", "fe80::a9fe:a9fe",
)  # fmt: skip


@pytest.mark.parametrize("text", METADATA_SAMPLES)
def test_metadata_services_are_never_opened(text: str) -> None:
    address = ipaddress.ip_address(text)
    everything = [ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")]
    exactly = [ipaddress.ip_network(text)]
    assert "metadata" in (refusal(address) or "")
    assert refusal(address, everything) == refusal(address, exactly) == refusal(address)


def test_every_metadata_row_has_its_sample() -> None:
    assert [str(row.network[0]) for row in METADATA] == [
        str(ipaddress.ip_address(text)) for text in METADATA_SAMPLES
    ]


def test_the_allow_list_opens_what_it_covers_and_nothing_else() -> None:
    allow = [ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("fd00::/8")]
    for text in ("10.1.2.3", "fd00::1", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "8.8.8.8"):
        assert refusal(ipaddress.ip_address(text), allow) is None
    for text in ("10.2.0.1", "127.0.0.1", "fc00::1", "::ffff:10.2.0.1", "::10.1.2.3"):
        assert refusal(ipaddress.ip_address(text), allow) is not None


def test_this_machine_can_be_opened_in_either_family() -> None:
    for text in ("127.0.0.1/32", "::1/128"):
        network = ipaddress.ip_network(text)
        assert refusal(network[0]) is not None
        assert refusal(network[0], [network]) is None
    assert refusal(ipaddress.ip_address("::1"), [ipaddress.ip_network("127.0.0.0/8")]) is not None
    assert refusal(ipaddress.ip_address("127.0.0.1"), [ipaddress.ip_network("::1")]) is not None
    assert refusal(ipaddress.ip_address("::2"), [ipaddress.ip_network("::/96")]) is not None


def test_one_port_of_a_network_can_be_opened() -> None:
    allow = [NetworkPort(ipaddress.ip_network("10.1.0.0/16"), 8080)]
    for text in ("10.1.2.3", "::ffff:10.1.2.3"):
        address = ipaddress.ip_address(text)
        assert refusal(address, allow, 8080) is None
        assert refusal(address, allow, 8081) == refusal(address, allow) == "private network"


def test_a_scoped_address_is_judged_without_its_scope() -> None:
    assert refusal(ipaddress.ip_address("fe80::1%eth0")) == "link-local"


@given(ipv4)
def test_a_mapped_address_is_as_public_as_its_inside(address: ipaddress.IPv4Address) -> None:
    for prefix in ("::ffff:", "64:ff9b::"):
        assert is_public(ipaddress.ip_address(f"{prefix}{address}")) == is_public(address)


@given(ipv4)
def test_what_the_standard_library_calls_private_is_never_public(
    address: ipaddress.IPv4Address,
) -> None:
    if not address.is_global or address.is_multicast:
        assert not is_public(address)


@given(st.integers(0, 2**128 - 1).map(ipaddress.IPv6Address))
def test_only_global_unicast_can_be_public(address: ipaddress.IPv6Address) -> None:
    if is_public(address):
        nat64 = address in ipaddress.ip_network("64:ff9b::/96")
        assert nat64 or address.ipv4_mapped or int(address) >> 125 == 1
