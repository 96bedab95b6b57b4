"""The doubles of the vendors, as a person at `python -m app.sandbox` meets them."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time

import pytest
import requests
from standardwebhooks import Webhook

from app.sandbox.serving import running
from app.sandbox.vendors import catalogue
from app.sandbox.vendors.keitaro import KeitaroDouble
from app.sandbox.vendors.webhook_receiver import ReceiverDouble
from plugins.registry import Registry
from plugins.trackers.signed_webhook import sign

SECRET = catalogue.WEBHOOK_SECRET


@pytest.mark.parametrize("vendor", catalogue.every(), ids=lambda one: one.tracker)
def test_each_double_tells_what_it_heard(vendor, session):
    with running(vendor.double) as url:
        session.post(f"{url}/somewhere?a=b", json={"c": "d"})
        session.get(f"{url}/elsewhere")
        first, second = session.get(f"{url}/sandbox/log").json()
    assert (first["method"], first["path"], first["query"]) == ("POST", "/somewhere", {"a": "b"})
    assert first["body"] == {"c": "d"}
    assert first["said"]["status"]
    assert (second["method"], second["raw"], second["body"]) == ("GET", "", None)


def test_the_command_serves_every_vendor_and_says_how_to_connect_it(session):
    ports = [f"--{name}-port=0" for name in ("bot-api", "tracker", "vendor")]
    command = [sys.executable, "-m", "app.sandbox", *ports]
    known = Registry.load()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            lines = [process.stdout.readline() for _ in range(2 + len(catalogue.every()))]
            for line in lines[2:]:
                url, said = re.fullmatch(r"Vendor double +(\S+) +(\{.*\})\n", line).groups()
                told = json.loads(said)
                assert known.get(told["tracker"]).check_settings(told["settings"])
                assert session.get(f"{url}/sandbox/log").json() == []
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode == 0


def test_keitaro_keeps_one_conversion_of_a_click_unless_there_is_a_tid(session):
    double = KeitaroDouble("0d6b")
    lists = "lead_status=wait,hold&sale_status=approve&rejected_status=cancel,trash"
    with running(double) as url:
        for more in ("status=wait", "status=trash", "status=approve&tid=7"):
            assert session.get(f"{url}/0d6b/postback?subid=c1&{lists}&{more}").text == "Success"
        assert "<html>" in session.get(f"{url}/wrong/postback?subid=c1").text
    assert double.conversions == {("c1", ""): "rejected", ("c1", "7"): "sale"}


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


def test_an_old_signature_is_too_old_however_good_it_is(receiver, session):
    receiver.clock = lambda: time.time() + 301
    assert _sent(session, receiver) == 401
