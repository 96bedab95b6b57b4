"""The double of a customer's server: takes what is signed, each id once."""

import time

import pytest
import requests
from standardwebhooks import Webhook

from app.sandbox.serving import running
from app.sandbox.vendors import catalogue
from app.sandbox.vendors.webhook_receiver import TOLERANCE_SECONDS, ReceiverDouble
from plugins.trackers.signed_webhook import sign

SECRET = catalogue.WEBHOOK_SECRET


@pytest.fixture
def receiver():
    double = ReceiverDouble(SECRET)
    with running(double) as url:
        double.url = url
        yield double


def _sent(session: requests.Session, double: ReceiverDouble, **changed: str) -> int:
    """A webhook as the foreign library signs it, with changed headers."""
    body, now = '{"type": "lead.wait"}', int(time.time())
    headers = {
        "webhook-id": "one",
        "webhook-timestamp": str(now),
        "webhook-signature": sign(SECRET, "one", now, body.encode()),
    }
    Webhook(SECRET).verify(body, headers)
    named = {name.replace("_", "-"): value for name, value in changed.items()}
    return session.post(f"{double.url}/hook", data=body, headers=headers | named).status_code


def test_the_receiver_takes_what_is_signed_and_counts_it_once(receiver, session):
    assert [_sent(session, receiver) for _ in range(2)] == [204, 204]
    assert receiver.events == {"one": {"type": "lead.wait"}}


@pytest.mark.parametrize(
    "wrong",
    [
        {"webhook_id": "two"},
        {"webhook_timestamp": "1"},
        {"webhook_timestamp": "soon"},
        {"webhook_signature": "v1,AAAA"},
        {"webhook_signature": ""},
    ],
)
def test_the_receiver_believes_no_other(receiver, session, wrong):
    assert _sent(session, receiver, **wrong) == 401
    assert receiver.events == {}


@pytest.mark.parametrize("seconds", [TOLERANCE_SECONDS + 1, -TOLERANCE_SECONDS - 1])
def test_an_old_or_a_future_signature_is_refused_however_good_it_is(receiver, session, seconds):
    receiver.clock = lambda: time.time() + seconds
    assert _sent(session, receiver) == 401


def test_a_secret_is_changed_without_a_gap_while_two_are_known(receiver, session):
    receiver.secrets = {"whsec_bmV3", SECRET}
    assert _sent(session, receiver) == 204
    receiver.secrets = {"whsec_bmV3"}
    assert _sent(session, receiver, webhook_id="two") == 401
