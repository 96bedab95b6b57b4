"""One update is one trace, from the door to the answer of the tracker, and tells of no person."""

import itertools
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.domain.conversions.report import Report
from app.extensions import db
from app.models import Destination, Postback, PostbackState
from app.observability.collector import Collector
from app.observability.trace_ids import of_update
from app.observability.traces import SpanKind, traces
from app.outbound.transport import Transport
from app.sandbox.telegram import people
from app.services.conversions import record
from app.services.conversions.people import Sender
from app.services.delivery.loop import Delivery
from app.services.delivery.targets import DestinationResolver
from app.services.leads.process import process_updates
from app.services.leads.send_at_once import process_and_send
from app.services.trackers.url_templates import events_mask
from app.services.updates.update_store import UpdateStore
from plugins.contract import ALL_KINDS, ConversionKind, Response
from tests.support.delivery import Exchange, alter
from tests.support.observed import KINDS, Ingest, ingest

ANN = people.Person(
    4_815_162_342, username="ann_the_secret", first_name="Annabella", last_name="Persona"
)
CLICK = "click-of-hers"
CHAIN = ["update receive", "update store", "update process", "postback stage", "postback attempt"]
_numbers = itertools.count(7_000_001)


@pytest.fixture
def collector(monkeypatch) -> Iterator[Ingest]:
    """A collector; this process traces for it. `.flush()` has it get what there is."""
    with ingest() as double:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", double.url)
        with tracing() as flush:
            double.flush = flush  # type: ignore[attr-defined]
            yield double


class tracing:  # noqa: N801 - a context manager
    """Traces while the block lasts."""

    def __enter__(self) -> Callable[[], None]:
        self._collector = Collector("test")
        traces.start(self._collector)
        return self._collector.flush

    def __exit__(self, *_: object) -> None:
        traces.start(None)
        self._collector.stop(5)


@pytest.fixture
def store(live_app) -> Iterator[UpdateStore]:
    opened = UpdateStore(live_app.config["SETTINGS"].database_url)
    yield opened
    opened.close()


@pytest.fixture
def start(stage, store) -> Callable[..., int]:
    """`start()`: somebody starts the bot, as the door takes it; returns the update id."""

    def start(person: people.Person = ANN, where: Any = None) -> int:
        number, where = next(_numbers), where or stage
        update = people.start(person, f"{where.code}-{CLICK}")
        store.put(where.bot, json.dumps({"update_id": number, **update}).encode())
        return number

    return start


def deliver(live_app: Any, exchange: Any) -> None:
    resolver = DestinationResolver(live_app.extensions["trackers"])
    delivery = Delivery(exchange, resolver, lease_seconds=45)
    delivery.run(seconds=60)
    db.session.commit()


def chain(collector: Ingest, trace: int) -> list[Any]:
    collector.flush()  # type: ignore[attr-defined]
    mine = [span for span in collector.spans() if span.trace == f"{trace:032x}"]
    return sorted(mine, key=lambda span: (CHAIN.index(span.name), span.start))


def parents(spans: list[Any]) -> dict[str, str]:
    """The name of each span's parent, by its own."""
    names = {span.id: span.name for span in spans}
    return {span.name: names.get(span.parent, span.parent) for span in spans}


def test_an_update_is_one_trace_from_the_door_to_the_answer(
    live_app, make_stage, start, collector, tracker
):
    stage = make_stage(url=f"{tracker.url}/pb")
    number = start(where=stage)
    transport = Transport(allow=live_app.config["SETTINGS"].outbound_allow)
    resolver = DestinationResolver(live_app.extensions["trackers"])
    delivery = Delivery(transport, resolver, lease_seconds=45)
    process_and_send(delivery, seconds=10, woken=lambda _seconds: False)
    transport.close()
    (postback,) = stage.postbacks()
    assert (postback.state, len(tracker.log())) == (PostbackState.DELIVERED, 1)

    spans = chain(collector, of_update(stage.bot, number))
    assert [span.name for span in spans] == CHAIN
    assert parents(spans) == dict(zip(CHAIN, ["", *CHAIN], strict=False))
    assert [KINDS[span.kind] for span in spans] == [
        SpanKind.SERVER, SpanKind.PRODUCER, SpanKind.CONSUMER, SpanKind.PRODUCER, SpanKind.CLIENT,
    ]  # fmt: skip
    assert not any(span.failed for span in spans)
    received, *_, staged, attempt = spans
    assert received.attributes["gatepost.update"] == number
    assert staged.attributes["gatepost.event"] == "wait"
    assert attempt.attributes["http.response.status_code"] == 200
    assert attempt.attributes["gatepost.postback"] == postback.id
    assert attempt.attributes["gatepost.verdict"] == "delivered"


def test_each_try_is_a_span_of_the_same_trace_whatever_process_makes_it(
    live_app, stage, start, collector
):
    number = start()
    process_updates(seconds=60)
    deliver(live_app, Exchange(Response(503)))
    alter(Postback, due=0)
    deliver(live_app, Exchange())
    *_, staged, first, second = chain(collector, of_update(stage.bot, number))
    assert first.parent == second.parent == staged.id
    assert (first.failed, second.failed) == (True, False)
    assert {first.attributes["gatepost.try"], second.attributes["gatepost.try"]} == {1, 2}
    assert {one.attributes["http.response.status_code"] for one in (first, second)} == {503, 200}


def test_nothing_that_people_or_trackers_wrote_is_in_a_span(live_app, stage, start, collector):
    key = "api-key-of-the-tracker"
    urls = {"wait": f"https://t.example/{key}?k={{click}}"}
    alter(Destination, settings=json.dumps({"urls": urls}))
    start()
    process_updates(seconds=60)
    exchange = Exchange(Response(418, {}, b"Annabella is not welcome"))
    deliver(live_app, exchange)
    assert key in exchange.sent[0].url
    collector.flush()  # type: ignore[attr-defined]
    assert {span.name for span in collector.spans()} == set(CHAIN)
    told = b"".join(body for _, _, body in collector.bodies)
    for text in (
        str(ANN.id), ANN.username, ANN.first_name, ANN.last_name, CLICK, key,
        "t.example", "not welcome", stage.code, "/start",
    ):  # fmt: skip
        assert str(text).encode() not in told, text


def test_an_update_of_no_campaign_ends_with_its_decision(stage, store, collector):
    number = next(_numbers)
    update = {"update_id": number, **people.start(ANN, "nothing-of-ours")}
    store.put(stage.bot, json.dumps(update).encode())
    store.put(stage.bot, b"no update at all")
    process_updates(seconds=60)
    spans = chain(collector, of_update(stage.bot, number))
    assert [span.name for span in spans] == CHAIN[:3]
    assert spans[-1].attributes["gatepost.state"] == "ignored"
    assert len(collector.spans()) == 3


def test_a_conversion_has_a_trace_of_its_own(live_app, stage, start, collector):
    start()
    process_updates(seconds=60)
    urls = {"purchase": "http://127.0.0.2/pb?c={click}"}
    settings = json.dumps({"urls": urls})
    alter(Destination, settings=settings, events=events_mask(ALL_KINDS))
    report = Report(ConversionKind.PURCHASE, "", 5_000_000, "USD", click=CLICK, tid="1")
    record.record(Sender(stage.account), report, time.time())
    db.session.commit()
    deliver(live_app, Exchange())
    collector.flush()  # type: ignore[attr-defined]
    purchase = [
        one for one in collector.spans() if one.attributes.get("gatepost.event") == "purchase"
    ]
    spans = {span.name: span for span in purchase}
    assert set(spans) == {"postback stage", "postback attempt"}
    assert spans["postback stage"].parent == ""
    assert spans["postback attempt"].parent == spans["postback stage"].id
    assert len({span.trace for span in purchase}) == 1


@pytest.mark.parametrize("sampler", ["parentbased_traceidratio", "traceidratio"])
def test_a_trace_is_kept_whole_or_not_at_all(live_app, stage, start, monkeypatch, sampler):
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", sampler)
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.5")
    with ingest() as double:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", double.url)
        with tracing():
            for number in range(24):
                start(people.Person(500 + number))
        with tracing():  # another process
            process_updates(seconds=60)
        with tracing():
            deliver(live_app, Exchange())
        by_trace = {span.trace: set() for span in double.spans()}
        for span in double.spans():
            by_trace[span.trace].add(span.name)
    assert 0 < len(by_trace) < 24
    assert set(map(frozenset, by_trace.values())) == {frozenset(CHAIN)}


def test_without_a_collector_an_event_is_stored_as_ever(stage, start):
    start()
    process_updates(seconds=60)
    (postback,) = stage.postbacks()
    assert not traces.on
    assert "touch" not in json.loads(postback.event)
