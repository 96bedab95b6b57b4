"""http only inside the operator's own network."""

import ipaddress

import pytest

from app.outbound.scheme import scheme_for

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
LAN = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8"))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8080", "localhost:80", "[::1]:81"])
def test_an_address_the_operator_opened_is_spoken_to_in_http(host):
    assert scheme_for(host, LOOPBACK) == "http"


@pytest.mark.parametrize("host", ["10.1.2.3", "[fd00::1]:8080"])
def test_the_operators_lan_is_spoken_to_in_http(host):
    assert scheme_for(host, LAN) == "http"
    assert scheme_for(host, ()) == "https"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "8.8.8.8", "[::1]", "0x7f.1", "a b", "", "[::1", "x:y"]
)
def test_everything_else_is_spoken_to_in_https(host):
    assert scheme_for(host, LAN) == "https"
