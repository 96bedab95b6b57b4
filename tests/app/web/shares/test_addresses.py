"""Clients are counted by their address, or the network that one client has whole."""

from ipaddress import ip_network

import pytest

from app.web.shares.addresses import address_of, sharer_behind

PROXIES = (ip_network("10.0.0.0/8"), ip_network("192.168.0.0/16"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, 192.168.0.7", "198.51.100.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("", "198.51.100.1", ""),
    ],
)
def test_only_what_named_proxies_say_is_believed(peer, forwarded, address):
    environ = {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": forwarded}
    assert address_of(environ, PROXIES) == address


def test_however_much_a_stranger_writes_before_it_the_proxys_word_is_at_the_end():
    forwarded = "9.9.9.9," * 100_000 + " 198.51.100.1"
    assert sharer_behind("10.0.0.1", forwarded, PROXIES) == "198.51.100.1"


def test_one_who_has_a_network_of_ipv6_is_one_client():
    first, second = ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9")
    assert sharer_behind(first, "", ()) == sharer_behind(second, "", ()) == "2001:db8:1:2::/64"
