"""What is not set is not imported; what is set works in each kind of process, and ends with it."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support import ROOT
from tests.support.observed import Ingest, ingest

SETTINGS = """
import sys
from app.config import Settings
from app.observability.start import start
settings = Settings.from_environment()
"""
#: Loads all that a web process and a worker load, and starts as they do.
LOAD = f"""
{SETTINGS}
from app import create_app
import app.worker.supervisor
create_app(settings)
start(settings, "web")
"""
#: What only these two need. redis-py imports OpenTelemetry's metrics wherever they are installed.
OURS = ("opentelemetry.exporter", "opentelemetry.sdk.trace", "google.protobuf", "sentry_sdk")
IMPORTED = f"""
print(*(name for name in {OURS} if name in sys.modules))
"""
#: A child that is forked, as the worker's are, and one that ends with the program.
TRACE = """
import multiprocessing
from app.observability.traces import Span, SpanKind, traces
def tell():
    traces._record(Span("update store", SpanKind.PRODUCER, 1, 0, 1, 1.0, 2.0, {}))
def child():
    start(settings, "child")
    tell()
process = multiprocessing.get_context("fork").Process(target=child)
process.start(); process.join()
start(settings, "parent")
tell()
"""


def run(code: str, **environ: str) -> subprocess.CompletedProcess[str]:
    base = {"PATH": os.environ["PATH"], "SECRET_KEY": "k" * 32, "REDIS_URL": "redis://localhost"}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT, env=base | environ, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def double() -> Iterator[Ingest]:
    with ingest() as running:
        yield running


def test_without_the_variables_neither_library_is_imported():
    done = run(LOAD + IMPORTED)
    assert (done.stdout.split(), done.returncode) == ([], 0), done.stderr


def test_spans_of_forked_children_and_of_their_parent_arrive_at_the_end(double):
    done = run(
        SETTINGS + TRACE + IMPORTED,
        OTEL_EXPORTER_OTLP_ENDPOINT=double.url,
        OTEL_BSP_SCHEDULE_DELAY="600000",
    )
    assert (done.stdout.split(), done.returncode) == ([*OURS[:3]], 0), done.stderr
    assert {span.resource["gatepost.process"] for span in double.spans()} == {"child", "parent"}


def test_what_a_command_raises_is_told_before_it_ends(double):
    fail = "raise RuntimeError('of a command')"
    done = run(
        f"{SETTINGS}start(settings, 'command', traced=False)\n{IMPORTED}{fail}",
        SENTRY_DSN=double.url.replace("://", "://abcdef@") + "/1",
        OTEL_EXPORTER_OTLP_ENDPOINT=double.url,
    )
    assert (done.stdout.split(), done.returncode) == (["sentry_sdk"], 1), done.stderr
    assert "RuntimeError: of a command" in done.stderr
    (event,) = double.events()
    assert event["exception"]["values"][0]["value"] == "of a command"
    assert event["tags"]["process"] == "command"
