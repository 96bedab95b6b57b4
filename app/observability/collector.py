"""Spans on their way to the operator's collector, by OTLP over HTTP. Imports OpenTelemetry.

The SDK's batch processor holds a bounded queue and sends from a thread of its own: a collector
that is slow or away costs spans, and nothing else. What is not said here (headers, time limits,
sampling, names) the SDK reads from the standard OTEL_* variables.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from app.config import VERSION
from app.health_watch import HealthWatch

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from app.observability.traces import Span

_NOWHERE: Final = Context()
_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
_NANOSECONDS: Final = 1_000_000_000


class Collector:
    """Takes spans and sends them. One for each process, made after it was forked."""

    def __init__(self, process: str, exporter: SpanExporter | None = None) -> None:
        # They would say of each batch that it failed; `traces.lost` and `traces.back` say it once.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        self._ids = _DerivedIds()
        self._provider = TracerProvider(
            resource=_resource(process), id_generator=self._ids, shutdown_on_exit=False
        )
        watched = WatchedExporter(exporter or OTLPSpanExporter())
        self._provider.add_span_processor(BatchSpanProcessor(watched))
        self._tracer = self._provider.get_tracer("gatepost", VERSION)

    def samples(self, trace: int) -> bool:
        """Whether the spans of this trace are kept: the sampler asked for its first span."""
        result = self._provider.sampler.should_sample(_NOWHERE, trace, "update receive")
        return result.decision is Decision.RECORD_AND_SAMPLE

    def record(self, span: Span) -> None:
        """Queue one span that is sampled."""
        parent = _NOWHERE
        if span.parent:
            context = SpanContext(span.trace, span.parent, is_remote=True, trace_flags=_SAMPLED)
            parent = set_span_in_context(NonRecordingSpan(context), _NOWHERE)
        self._ids.set_next(span.trace, span.id)
        started = self._tracer.start_span(
            span.name,
            parent,
            SpanKind[span.kind.name],
            dict(span.attributes),
            start_time=int(span.start * _NANOSECONDS),
        )
        if span.failed:
            started.set_status(StatusCode.ERROR)
        started.end(int(max(span.start, span.end) * _NANOSECONDS))

    def flush(self) -> None:
        """Send what is queued now, and wait for it."""
        self._provider.force_flush()

    def stop(self, seconds: float) -> None:
        """Send what is queued, and wait for it no longer than `seconds`."""
        sending = threading.Thread(target=self._provider.shutdown, daemon=True, name="last-spans")
        sending.start()
        sending.join(seconds)


class WatchedExporter(SpanExporter):
    """Sends by another exporter, and logs when the collector goes away and when it is back."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._health = HealthWatch("traces")

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch; one that fails is lost."""
        result = self._exporter.export(spans)
        is_well = result is SpanExportResult.SUCCESS
        self._health.update(well=is_well, setting="OTEL_EXPORTER_OTLP_ENDPOINT")
        return result

    def shutdown(self) -> None:
        """Send no more."""
        self._exporter.shutdown()


class _DerivedIds(IdGenerator):
    """Gives a span the ids that were derived for it, in the thread that makes it."""

    def __init__(self) -> None:
        self._of_thread = threading.local()

    def set_next(self, trace: int, span: int) -> None:
        """Say which ids the next span of this thread has."""
        self._of_thread.trace, self._of_thread.span = trace, span

    def generate_trace_id(self) -> int:
        trace: int = self._of_thread.trace
        return trace

    def generate_span_id(self) -> int:
        span: int = self._of_thread.span
        return span


def _resource(process: str) -> Resource:
    """What all spans of this process share; the standard variables win."""
    ours = {"service.name": "gatepost", "service.version": VERSION, "gatepost.process": process}
    return Resource.create(ours).merge(OTELResourceDetector().detect())
