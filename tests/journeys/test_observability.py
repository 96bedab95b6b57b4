"""Traces and faults leave the real processes; who takes them may come and go."""

import http.client
import json
import signal
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
import requests

from app.sandbox.telegram import people
from tests.journeys.crowd import post
from tests.journeys.system import STOP_SECONDS, Door, System
from tests.support.observed import Ingest, ingest
from tests.support.waiting import PATIENCE, eventually, free_port

TOKEN = "301:the-token-of-the-observed-bot"
CHAIN = ["update receive", "update store", "update process", "postback stage", "postback attempt"]
_people, _updates = count(8_100_000_001), count(900_000_001)


@pytest.fixture(scope="module")
def sentry() -> Iterator[Ingest]:
    with ingest() as double:
        yield double


@pytest.fixture(scope="module")
def port() -> int:
    """A port at which the collector comes and goes."""
    return free_port()


@pytest.fixture(scope="module")
def system(start_system, port, sentry) -> System:
    started: System = start_system(
        "postgresql",
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}",
        OTEL_SERVICE_NAME="gatepost-of-anna",
        OTEL_BSP_SCHEDULE_DELAY="1000",
        SENTRY_DSN=sentry.url.replace("://", "://0123456789abcdef@") + "/1",
        SENTRY_ENVIRONMENT="rehearsal",
    )
    return started


@pytest.fixture(scope="module")
def door(system, key, tracker) -> Door:
    return system.open_door(key, TOKEN, f"{tracker.url}/301/pb?who={{subscriber}}")


@pytest.fixture
def start(system, door, tracker) -> Any:
    """`start()`: a person starts the bot, and the tracker hears of it. Returns the update id."""

    def start() -> int:
        person, number = people.Person(next(_people)), next(_updates)
        update = {"update_id": number, **people.start(person, f"{door.code}-click")}
        wire = http.client.HTTPConnection("127.0.0.1", system.port, timeout=120)
        assert post(wire, door, json.dumps(update).encode()) == 200
        wire.close()
        who = str(person.id)
        heard = lambda: who in {hit.query["who"] for hit in tracker.log("/301/")}  # noqa: E731
        eventually(heard, 30, "the postback")
        return number

    return start


def trace_of(collector: Ingest, number: int) -> list[Any]:
    """The spans of the trace of one update, in the order of the chain."""
    spans = collector.spans()
    roots = [one.trace for one in spans if one.attributes.get("gatepost.update") == number]
    return sorted(
        (one for one in spans if one.trace in roots), key=lambda one: CHAIN.index(one.name)
    )


def test_web_and_worker_make_the_spans_of_one_trace(start, port):
    with ingest(port=port) as collector:
        number = start()
        collector.wait(lambda collector: len(trace_of(collector, number)) == len(CHAIN))
        spans = trace_of(collector, number)
    assert [span.name for span in spans] == CHAIN
    assert [span.parent for span in spans] == ["", *(span.id for span in spans[:-1])]
    assert {span.trace for span in spans} == {spans[0].trace}
    processes = [span.resource["gatepost.process"] for span in spans]
    assert processes[:2] == ["web", "web"]
    assert set(processes[2:]) <= {"updates", "postbacks"}
    assert {span.resource["service.name"] for span in spans} == {"gatepost-of-anna"}


def test_without_the_collector_everything_goes_on_and_the_log_says_it_once(system, start, port):
    for _ in range(3):
        start()
    eventually(lambda: "traces.lost" in system.log_text(), 60, "a word about the collector")
    with ingest(503, port=port):
        start()
    with ingest(port=port) as collector:
        number = start()
        collector.wait(lambda collector: trace_of(collector, number), 60)
    assert "Traceback" not in system.log_text()
    assert system.one("SELECT count(*) FROM attempt WHERE verdict <> 'delivered'") == 0


def test_a_fault_of_web_reaches_sentry_without_anything_of_the_request(system, key, sentry):
    system.execute("UPDATE bot SET token = '-' || token")
    try:
        answer = requests.get(
            f"{system.url}/api/bots/list.json?secret=in-the-query",
            json={"note": "in-the-body"},
            headers={"Authorization": f"Bearer {key}", "Cookie": "mine=in-the-cookie"},
            timeout=120,
        ).json()
    finally:
        system.execute("UPDATE bot SET token = substr(token, 2)")
    assert answer["error"] == "server"
    sentry.wait(Ingest.events)
    (event,) = sentry.events()
    assert event["exception"]["values"][-1]["type"] == "CannotDecrypt"
    assert event["environment"] == "rehearsal"
    assert event["release"].startswith("gatepost@")
    assert event["tags"] == {"process": "web", "event": "request.failed"}
    assert "request" not in event
    told = json.dumps(event)
    for text in ("in-the-query", "in-the-body", "in-the-cookie", key, '"vars"'):
        assert text not in told


def test_what_is_queued_at_the_end_is_sent_before_the_processes_leave(system, start, port):
    for name in ("web", "worker"):
        system.kill(name)
        system.start(name, OTEL_BSP_SCHEDULE_DELAY="600000")
    eventually(system.is_ready, 60, "readiness")
    with ingest(port=port) as collector:
        number = start()
        assert not collector.bodies
        for name in ("web", "worker"):
            process = system.processes.pop(name)
            process.send_signal(signal.SIGTERM)
            process.wait(STOP_SECONDS + PATIENCE)
        assert [span.name for span in trace_of(collector, number)] == CHAIN
