"""An event for Sentry is an exception, masked; nothing of a request and no variable goes along."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import sentry_sdk
import structlog

from app import logs
from app.config import VERSION, Settings
from app.observability import sentry
from app.observability.faults import Faults
from app.observability.sentry import LoggedFaults, MinuteLimit, masked
from tests.support.observed import Ingest, ingest

TOKEN = "7000000021:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc"
REQUIRED = {"SECRET_KEY": "k" * 32, "REDIS_URL": "redis://localhost", "LOG_FORMAT": "json"}


@pytest.fixture
def double() -> Iterator[Ingest]:
    with ingest() as running:
        yield running
    sentry_sdk.get_client().close(timeout=0)
    sentry_sdk.get_global_scope().set_client(None)
    sentry_sdk.get_global_scope().clear()


@pytest.fixture
def send(double, monkeypatch):
    monkeypatch.setenv("SENTRY_ENVIRONMENT", "rehearsal")
    return sentry.start(double.url.replace("://", "://abcdef@") + "/1", "web")


def fail(text: str) -> None:
    raise ValueError(text)


def raised(text: str) -> Exception:
    try:
        fail(text)
    except ValueError as error:
        return error
    raise AssertionError


def test_an_event_names_the_fault_the_version_and_where(double, send):
    send(raised("it broke"), "request.failed")
    sentry.stop(5)
    (event,) = double.events()
    (value,) = event["exception"]["values"]
    assert (value["type"], value["value"]) == ("ValueError", "it broke")
    assert value["stacktrace"]["frames"][-1]["function"] == "fail"
    assert (event["release"], event["environment"]) == (f"gatepost@{VERSION}", "rehearsal")
    assert event["tags"] == {"process": "web", "event": "request.failed"}
    assert not {"request", "user", "modules", "extra"} & {name for name in event if event[name]}
    assert not event.get("breadcrumbs", {}).get("values")
    assert not any("vars" in frame for frame in value["stacktrace"]["frames"])


def test_nothing_that_could_tell_of_people_is_switched_on(double, send):
    options = sentry_sdk.get_client().options
    assert not options["send_default_pii"]
    assert not options["include_local_variables"]
    assert options["max_request_body_size"] == "never"
    assert (options["max_breadcrumbs"], options["traces_sample_rate"]) == (0, None)
    assert set(sentry_sdk.get_client().integrations) == {"dedupe", "excepthook"}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"https://api.telegram.org/bot{TOKEN}/getMe refused", "refused"),
        ("key 12-abcdefghijklmnopqrstuvwxyz is no good", "no good"),
        ("https://t.example/pb?api_key=verysecretvalue&click=ofhers timed out", "timed out"),
        ("Authorization: Bearer verysecretvalue", "Authorization"),
        ("duplicate key\nDETAIL:  Key (login)=(anna) exists.\nHINT: none", "duplicate key"),
    ],
)
def test_an_event_is_masked_as_the_log_is(double, send, text, left):
    send(raised(text), "request.failed")
    sentry.stop(5)
    (event,) = double.events()
    value = event["exception"]["values"][0]["value"]
    assert left in value
    for secret in (TOKEN, "abcdefghijklmnopqrstuvwxyz", "verysecretvalue", "ofhers", "anna"):
        assert secret not in value


def test_masking_goes_through_everything():
    event = {"a": [f"bot{TOKEN}", {"b": (f"x {TOKEN}",)}], "n": 1, "none": None}
    assert TOKEN not in json.dumps(masked(event))
    assert masked(event)["n"] == 1


def test_a_storm_of_faults_is_cut():
    limit = MinuteLimit(2)
    assert [limit.allows(now) for now in (0, 1, 2, 59)] == [True, True, False, False]
    assert limit.allows(60)


def test_a_sentry_that_is_away_holds_nobody(double, send, monkeypatch):
    double.status = 500
    for number in range(40):
        send(raised(f"fault {number}"), "request.failed")
    sentry.stop(5)
    assert len(double.events()) <= sentry.MOST_A_MINUTE


@pytest.fixture
def told() -> Iterator[list[Any]]:
    """What is told of what is logged."""
    logs.configure(Settings.from_environment(REQUIRED))
    told: list[Any] = []
    faults = Faults()
    faults.start(lambda error, what: told.append((what, str(error))))
    handler = LoggedFaults(faults)
    logging.getLogger().addHandler(handler)
    yield told
    logging.getLogger().removeHandler(handler)


def test_what_is_logged_with_a_traceback_is_told(told):
    log = structlog.get_logger()
    try:
        fail("one")
    except ValueError:
        log.exception("worker.process_failed", process="x")
        log.warning("transfer.not_settled", exc_info=True)
        logging.getLogger("a.library").exception("it says")
    log.error("request.failed", exc_info=raised("two"))
    log.error("update.quarantined", fault="words")
    assert told == [
        ("worker.process_failed", "one"),
        ("a.library", "one"),
        ("request.failed", "two"),
    ]


def test_what_the_sdk_logs_of_itself_is_not_told(told):
    logging.getLogger("sentry_sdk.errors").error("x", exc_info=raised("one"))
    assert told == []
