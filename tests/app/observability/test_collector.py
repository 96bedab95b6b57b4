"""Spans reach a collector; one that is slow, full or away costs nothing but spans."""

import os
import socket
from collections.abc import Iterator

import pytest
import structlog

from app.observability.collector import Collector
from app.observability.traces import Span, SpanKind
from tests.support.observed import Ingest, ingest


def span(number: int = 1, **fields: object) -> Span:
    values = {
        "name": "update store", "kind": SpanKind.PRODUCER, "trace": number, "parent": 0,
        "id": number, "start": 1000.0, "end": 1000.5, "attributes": {"gatepost.bot": 7},
    }  # fmt: skip
    return Span(**{**values, **fields})  # type: ignore[arg-type]


@pytest.fixture
def double(monkeypatch) -> Iterator[Ingest]:
    with ingest() as running:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", running.url)
        yield running


def test_a_span_arrives_as_it_was_told(double):
    collector = Collector("web")
    collector.record(span(5, parent=9, failed=True))
    collector.stop(5)
    (seen,) = double.spans()
    assert (seen.trace, seen.id, seen.parent) == (f"{5:032x}", f"{5:016x}", f"{9:016x}")
    assert (seen.start, seen.end, seen.failed) == (1000.0, 1000.5, True)
    assert seen.attributes == {"gatepost.bot": 7}
    assert seen.resource["service.name"] == "gatepost"
    assert seen.resource["gatepost.process"] == "web"


def test_the_standard_variables_are_the_sdks(double, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-team=blue")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "mine")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
    collector = Collector("web")
    collector.record(span())
    collector.stop(5)
    (seen,) = double.spans()
    assert seen.resource["service.name"] == "mine"
    assert seen.resource["deployment.environment.name"] == "test"
    assert {"blue"} == {headers.get("x-team") for _, headers, _ in double.bodies}


def test_a_sampler_decides_by_the_trace_alone(double, monkeypatch):
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.25")
    one, other = Collector("web"), Collector("updates")
    traces = [number << 40 | number << 57 for number in range(1, 128)]
    kept = [one.samples(trace) for trace in traces]
    assert 0 < sum(kept) < len(kept)
    assert kept == [other.samples(trace) for trace in traces]
    one.stop(5)
    other.stop(5)


def test_a_collector_that_is_away_is_logged_once_and_once_when_it_is_back(monkeypatch):
    with ingest() as gone:
        port = int(gone.url.rpartition(":")[2])
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", gone.url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.2")
    collector = Collector("web")
    with structlog.testing.capture_logs() as lines:
        for _ in range(2):
            collector.record(span())
            collector.flush()
        with ingest(port=port) as back:
            collector.record(span(3))
            collector.flush()
            assert [seen.id for seen in back.spans()] == [f"{3:016x}"]
    collector.stop(5)
    assert [line["event"] for line in lines] == ["traces.lost", "traces.back"]


def test_a_collector_that_never_answers_holds_nobody(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "2")
        monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "16")
        monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4")
        collector = Collector("web")
        for number in range(1, 200):
            collector.record(span(number))
        queue = collector._provider._active_span_processor._span_processors[0]._batch_processor
        assert len(queue._queue) <= 16
        collector.stop(0.05)  # and goes on, though its own time limit is longer


def test_a_child_that_was_forked_has_a_collector_of_its_own(double):
    child = os.fork()
    if not child:
        collector = Collector("child")
        collector.record(span())
        collector.stop(5)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    double.wait(Ingest.spans)
    assert double.spans()[0].resource["gatepost.process"] == "child"
