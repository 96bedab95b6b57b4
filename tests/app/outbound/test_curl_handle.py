"""One exchange on one handle: what is refused before any network, and how a failure reads."""

from __future__ import annotations

import certifi
import pycurl
import pytest

from app.outbound.curl_handle import COULD_NOT_CONNECT, METHODS, Limits, Transfer
from app.outbound.result import Failure, Unsendable
from plugins.contract import Request


@pytest.fixture
def transfer():
    transfer = Transfer(Limits((), False, 3.0, 10.0, 1024, certifi.where()))
    yield transfer
    transfer.easy.close()


@pytest.mark.parametrize("method", sorted(METHODS))
def test_ordinary_methods_are_loaded_with_and_without_a_body(transfer, method):
    for body in (b"", b"x"):
        transfer.load(Request(method, "https://t.example/", body=body), "tag")
        assert transfer.tag == "tag"
        assert not transfer.is_connected


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "get", ""])
def test_other_methods_are_invalid(transfer, method):
    with pytest.raises(Unsendable) as caught:
        transfer.load(Request(method, "https://t.example/"), None)
    assert caught.value.failure is Failure.INVALID


def test_a_forbidden_address_in_the_url_is_blocked(transfer):
    with pytest.raises(Unsendable) as caught:
        transfer.load(Request("GET", "http://127.0.0.1/"), None)
    assert caught.value.failure is Failure.BLOCKED


@pytest.mark.parametrize("code", [pycurl.E_COULDNT_CONNECT, pycurl.E_OPERATION_TIMEDOUT])
def test_what_ended_before_it_was_sent_is_unreachable(transfer, code):
    transfer.load(Request("GET", "https://t.example/"), "tag")
    answer = transfer.finish(code, "as libcurl says")
    assert (answer.tag, answer.failure) == ("tag", Failure.UNREACHABLE)
    assert (answer.reason, answer.detail) == (
        COULD_NOT_CONNECT,
        f"curl {code}: as libcurl says",
    )
    assert transfer.tag is None
