"""The one rule for addresses: settings, the adapters' border and the transport all ask it."""

import ipaddress

import pytest

from plugins.kit.url_spelling import (
    REFUSED_PORTS,
    AddressRefused,
    check_host,
    check_port,
    check_url,
    is_internal_name,
)


@pytest.mark.parametrize(
    "url",
    ["https://t.example", "http://a_b.t.example:8080/", "https://[2a00::1]:8443?x", "http://8.8.8.8/"],
)  # fmt: skip
def test_a_web_servers_address_passes(url):
    check_url(url)


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("https://0x7f.1/", "four decimal numbers"),
        ("https://[zz]/", "not an IPv6 address"),
        ("https://a..b/", "not a proper name"),
        ("https://-a.example/", "not a proper name"),
        ("https://t.example./", "full stop"),
        ("https://t.example:6379/", "Redis"),
        ("https://t.example:22/", "port 22 is not open"),
        ("https://t.example:99999/", "port 99999 is not open"),
        ("https:///pb", "no domain"),
        ("https://t.example/a\\b", "backslashes"),
        ("https://me@t.example/", "user name"),
        ("//t.example/", "http://"),
    ],
)
def test_a_doubtful_address_is_refused_with_its_reason(url, word):
    with pytest.raises(AddressRefused, match=word):
        check_url(url)


def test_the_port_of_a_literal_address_is_the_operators_to_open():
    for host in ("127.0.0.1", "localhost", "[::1]"):
        check_url(f"http://{host}:6379/")
        with pytest.raises(AddressRefused, match="65536"):
            check_url(f"http://{host}:65536/")


def test_a_literal_host_is_told_from_a_name():
    assert check_host("127.0.0.1", 80) == ipaddress.IPv4Address("127.0.0.1")
    assert check_host("[::1]", 80) == ipaddress.IPv6Address("::1")
    assert check_host("a.localhost", 80) == ipaddress.IPv4Address("127.0.0.1")
    assert check_host("t.example", 80) is None


@pytest.mark.parametrize("port", [0, 1, 25, 1023, 65536, *REFUSED_PORTS])
def test_ports_of_other_services_are_refused_by_number(port):
    with pytest.raises(AddressRefused, match=str(port)):
        check_port(port)


@pytest.mark.parametrize(
    ("host", "internal"),
    [
        ("keitaro", True),
        ("t.local", True),
        ("T.LAN", True),
        ("nas.home.arpa", True),
        ("home.arpa.example", False),
        ("t.example", False),
        ("10.0.0.1", False),
        ("[fd00::1]", False),
    ],
)
def test_a_name_of_private_networks_is_known_by_its_spelling(host, internal):
    assert is_internal_name(host) is internal
