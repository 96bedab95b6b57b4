"""Doubles of an OpenTelemetry collector and of Sentry: small HTTP servers that read what comes."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import brotli
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from app.observability.traces import SpanKind
from tests.support.waiting import eventually

_UNPACK: dict[str | None, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "br": brotli.decompress,
}


@dataclass(frozen=True, slots=True)
class Seen:
    """One span as a collector has it; ids in hexadecimal, times in seconds."""

    name: str
    kind: int
    trace: str
    id: str
    parent: str
    start: float
    end: float
    failed: bool
    attributes: dict[str, Any]
    resource: dict[str, Any]


class Ingest:
    """Keeps the bodies that are posted to it, and answers `status`."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.url = ""
        self.bodies: list[tuple[str, dict[str, str], bytes]] = []

    def spans(self) -> list[Seen]:
        """All spans, in the order in which they began."""
        found = [span for path, _, body in self.bodies for span in _spans(path, body)]
        return sorted(found, key=lambda span: (span.start, span.end))

    def events(self) -> list[dict[str, Any]]:
        """All events of Sentry's envelopes."""
        return [event for path, _, body in self.bodies for event in _events(path, body)]

    def wait(self, fact: Callable[[Ingest], object], seconds: float = 20) -> None:
        """Wait until something is there."""
        eventually(lambda: fact(self), seconds, "what was to be posted")


@contextmanager
def ingest(status: int = 200, port: int = 0) -> Iterator[Ingest]:
    """Run a double while the block lasts."""
    double = Ingest(status)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = _UNPACK.get(self.headers.get("Content-Encoding"), bytes)(body)
            double.bodies.append((self.path, dict(self.headers), body))
            self.send_response(double.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        double.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield double
        finally:
            server.shutdown()
            thread.join()


def _spans(path: str, body: bytes) -> Iterator[Seen]:
    assert path == "/v1/traces", path
    request = ExportTraceServiceRequest()
    request.ParseFromString(body)
    for group in request.resource_spans:
        resource = _values(group.resource.attributes)
        for scope in group.scope_spans:
            for span in scope.spans:
                yield Seen(
                    span.name, span.kind, span.trace_id.hex(), span.span_id.hex(),
                    span.parent_span_id.hex(), span.start_time_unix_nano / 1e9,
                    span.end_time_unix_nano / 1e9, span.status.code == 2,
                    _values(span.attributes), resource,
                )  # fmt: skip


def _values(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


def _events(path: str, body: bytes) -> Iterator[dict[str, Any]]:
    assert path == "/api/1/envelope/", path
    lines = body.split(b"\n")
    for head, payload in zip(lines[1::2], lines[2::2], strict=False):
        if json.loads(head).get("type") == "event":
            yield json.loads(payload)


#: How the protocol numbers the kinds.
KINDS = {2: SpanKind.SERVER, 3: SpanKind.CLIENT, 4: SpanKind.PRODUCER, 5: SpanKind.CONSUMER}
