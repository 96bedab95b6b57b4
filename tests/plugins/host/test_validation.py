"""What the border refuses in a request of an adapter."""

import pytest

from plugins.contract import Request
from plugins.host.validation import MAX_HEADER_CHARACTERS, AdapterFailed, check_request
from plugins.kit.http_headers import FRAMING


@pytest.mark.parametrize("name", sorted(FRAMING))
def test_a_header_that_the_transport_sets_is_refused_by_its_name(name):
    request = Request(method="GET", url="https://t.example/", headers={name.title(): "1"})
    with pytest.raises(AdapterFailed, match=f"(?i)the header {name}, which the transport sets"):
        check_request(request, None, (), "build_request")


def test_a_header_of_the_adapters_own_passes_as_it_is():
    request = Request(method="GET", url="https://t.example/", headers={"X-One": "1"})
    assert check_request(request, None, (), "build_request").headers == {"X-One": "1"}


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://0x7f.1/", "four decimal numbers"),
        ("https://[zz]/", "IPv6"),
        ("https://a..b/", "proper name"),
        ("https://-a.example/", "proper name"),
        ("https://t.example:6379/", "Redis"),
        ("https://t.example:99999/", "port 99999"),
        ("https://t.example/\\", "backslashes"),
        ("https://t.example/\u00e9", "printable ASCII"),
        ("https://t.example/" + "a" * 8192, "longer than 8192"),
    ],
)
def test_an_address_that_the_transport_refuses_is_refused_with_its_reason(url, why):
    with pytest.raises(AdapterFailed, match=why):
        check_request(Request(method="GET", url=url), None, (), "build_request")


def test_headers_have_64_kb_together():
    def check(size: int) -> None:
        headers = {"X-A": "a" * (size - 6), "X-B": ""}
        check_request(Request("GET", "https://t.example/", headers), None, (), "build_request")

    check(MAX_HEADER_CHARACTERS)
    with pytest.raises(AdapterFailed, match="headers have more than 65536 characters"):
        check(MAX_HEADER_CHARACTERS + 1)
