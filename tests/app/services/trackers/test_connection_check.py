"""The connection check: what a probe says of settings that a customer typed."""

import socket
from typing import Any

import pytest

from app.services.trackers.connection_check import CheckResult, check
from plugins.contract import Request, hookimpl, outcome_by_status
from plugins.registry import make_adapter
from tests.support.adapters import PlainPlugin
from tests.support.servers import once, serving


class Unprobed(PlainPlugin):
    """An adapter that offers no probe."""

    @hookimpl
    def build_request(self, event):
        return ()


class Probed(Unprobed):
    """An adapter whose probe asks `url`."""

    def __init__(self, url: str) -> None:
        self.url = url

    @hookimpl
    def build_probe(self):
        return Request("GET", self.url)

    @hookimpl
    def classify_probe(self, response):
        if response.status == 418:
            raise ValueError("a teapot")
        return outcome_by_status(response)


def probe(status: str) -> CheckResult:
    answer = f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()
    with serving(once(answer)) as server:
        return check(make_adapter("probed", Probed(server.url)), {})


@pytest.mark.parametrize(
    ("status", "expected"),
    [("200 OK", (True, "delivered", 200)), ("404 No", (False, "rejected", 404))],
)
def test_the_answer_says_whether_the_connection_is_good(app, status, expected):
    result = probe(status)
    assert (result.ok, result.verdict, result.status) == expected


def test_a_tracker_that_does_not_answer_is_no_good_connection(app):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    result = check(make_adapter("probed", Probed(url)), {})
    assert (result.ok, result.verdict, result.status) == (False, "retry", 0)
    assert result.message


def test_an_address_that_we_do_not_call_is_rejected(app):
    result = check(make_adapter("probed", Probed("http://169.254.169.254/")), {})
    assert (result.ok, result.verdict) == (False, "rejected")


def test_an_adapter_that_fails_over_its_probe_is_named(app):
    result = probe("418 No")
    assert (result.ok, result.verdict) == (False, "")
    assert "a teapot" in result.message


def test_without_a_probe_the_check_says_neither_yes_nor_no(app):
    plugin: Any = Unprobed()
    result = check(make_adapter("unprobed", plugin), {})
    assert (result.ok, result.verdict, result.ms) == (None, "", 0)
    assert "postbacks/test" in result.message
