"""What the border refuses in a request of an adapter."""

from __future__ import annotations

import pytest

from plugins.contract import Request
from plugins.host.validation import AdapterFailed, check_request
from plugins.kit.http_headers import FRAMING


@pytest.mark.parametrize("name", sorted(FRAMING))
def test_a_header_that_the_transport_sets_is_refused_by_its_name(name):
    request = Request(method="GET", url="https://t.example/", headers={name.title(): "1"})
    with pytest.raises(AdapterFailed, match=f"(?i)the header {name}, which the transport sets"):
        check_request(request, None, (), "build_request")


def test_a_header_of_the_adapters_own_passes_as_it_is():
    request = Request(method="GET", url="https://t.example/", headers={"X-One": "1"})
    assert check_request(request, None, (), "build_request").headers == {"X-One": "1"}
