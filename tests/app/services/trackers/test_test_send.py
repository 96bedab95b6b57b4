"""A test send: what would be sent, and what the tracker says to it."""

import itertools
import json

import pytest

from app.errors import BadParameter, NotFound, TooManyRequests
from app.services.accounts import rate_limits
from app.services.trackers import test_send
from tests.support.servers import once, serving

LATER = b"HTTP/1.1 503 Later\r\nContent-Length: 4\r\n\r\nbusy"


@pytest.fixture
def network(change_settings):
    """The operator has opened this machine."""
    from ipaddress import ip_network

    change_settings(outbound_allow=(ip_network("127.0.0.0/8"),))


def test_a_preview_shows_the_request_and_sends_nothing(account):
    template = "https://t.example/pb?c={click}&s={status}"
    result = test_send.run(account.id, event="wait", send=False, template=template, click="k-1")
    (step,) = result.steps
    assert (result.sent, result.verdict) == (False, "")
    assert step.url.startswith("https://t.example/pb?c=k-1&s=wait")
    assert (step.status, step.verdict) == (0, "")
    assert json.loads(result.event)["click"] == "k-1"


def test_what_the_tracker_answers_is_read_as_delivery_reads_it(account, network):
    with serving(once(LATER)) as server:
        template = f"{server.url}/pb?c={{click}}"
        result = test_send.run(account.id, event="wait", send=True, template=template)
    (step,) = result.steps
    assert (step.status, step.answer, step.verdict) == (503, "busy", "retry")
    assert (result.sent, result.verdict, result.reason) == (True, "retry", step.reason)


def test_a_test_answers_the_warnings_that_its_target_would_be_stored_with(api, stage):
    wrong = "https://k.example/postback?subid={click}&status={subid1}"
    told = api.post("postbacks/test", template=wrong, event="approve")
    assert [warning.split(":")[0] for warning in told["warnings"]] == ["template", "template"]
    settings = {"urls": {"approve": wrong}}
    told = api.post("postbacks/test", tracker="url_template", settings=settings)
    assert {warning.split(":")[0] for warning in told["warnings"]} == {"urls.approve"}
    added = api.post("dest/add", tracker="url_template", settings=settings)
    again = api.post("postbacks/test", dest=added["data"]["id"])
    assert again["warnings"] == told["warnings"] == added["warnings"]
    fine = "https://k.example/ab12/postback?subid={click}&status=sale"
    assert "warnings" not in api.post("postbacks/test", template=fine)


def test_a_host_that_cannot_be_reached_is_warned_of_in_one_way(api, change_settings):
    """Whether its name leads to a private address or nobody listens there is not told."""
    from ipaddress import ip_network

    change_settings(outbound_allow=(ip_network("127.0.0.0/8"),))
    with serving(once(LATER)) as server:
        template = f"{server.url}/pb?c={{click}}"
        assert "warnings" not in api.post("postbacks/test", template=template, send=1)
    told = api.post("postbacks/test", template=template, send=1)
    assert told["data"]["reason"] == "could not connect"
    assert told["warnings"] == [
        (
            "no connection to 127.0.0.1: see that the name exists and a server answers there; a"
            " name that leads to a private address is never called"
        )
    ]


def test_an_event_without_a_template_has_nothing_to_send(account, stage):
    settings = {"urls": {"approve": "https://t.example/"}}
    result = test_send.run(
        account.id, event="wait", send=True, tracker="url_template", settings=settings
    )
    assert (result.sent, result.steps) == (False, [])
    assert "nothing to send" in result.reason


@pytest.mark.parametrize("target", [{}, {"template": "https://t.example/", "dest": 1}])
def test_exactly_one_target_is_named(account, target):
    with pytest.raises(BadParameter):
        test_send.run(account.id, event="wait", send=False, **target)


def test_a_campaign_of_another_account_is_not_found(account, stage):
    with pytest.raises(NotFound):
        test_send.run(
            account.id, event="wait", send=False, template="https://t.example/",
            campaign=stage.campaign,
        )  # fmt: skip


def test_a_test_counts_as_what_it_takes_also_if_nothing_is_sent(account, monkeypatch):
    """Settings of 60 KB cost a second of the processor: nobody may ask for that without end."""
    worked = itertools.count()
    monkeypatch.setattr(rate_limits.TESTS, "processor", lambda: float(next(worked)))
    monkeypatch.setattr(rate_limits.TESTS, "clock", lambda: 1_800_000_000.0)
    target = {"event": "wait", "send": False, "template": "https://t.example/{click}"}
    for _ in range(2):
        test_send.run(account.id, **target)
    with pytest.raises(TooManyRequests):
        test_send.run(account.id, **target)


def test_a_test_that_is_refused_counts_too(account, monkeypatch):
    monkeypatch.setattr(rate_limits.TESTS, "clock", lambda: 1_800_000_000.0)
    monkeypatch.setattr(rate_limits.TESTS, "processor", lambda: 0.0)
    for _ in range(rate_limits.TESTS.burst):
        with pytest.raises(BadParameter):
            test_send.run(account.id, event="wait", send=False, template="no address")
    with pytest.raises(TooManyRequests):
        test_send.run(account.id, event="wait", send=False, template="no address")
