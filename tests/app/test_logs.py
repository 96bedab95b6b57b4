"""A log line tells what happened, and never a secret."""

import io
import json
import logging
import sys

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from app import logs
from app.crypto import new_secret

TOKEN = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
SECRET = "k-ab0_" + "x9" * 13
KEY = f"42-{SECRET}"
SECRETS = [TOKEN.partition(":")[2], SECRET]

PLANTED = [
    f"GET https://api.telegram.org/bot{TOKEN}/sendMessage failed",
    f"GET http://127.0.0.1:8081/bot1:{SECRET}/getMe",
    f"/bot{TOKEN.replace(':', '%3A')}/getMe",
    f"the token {TOKEN} was refused",
    f"GET /api/leads/list.json?id={KEY}&limit=2",
    f"next=%2Fapi%3Fid%3D{KEY}",
    f"first line\\n{KEY}",
    f"Authorization: Bearer {KEY}",
    "{'Authorization': 'Bearer " + SECRET + "'}",
    f"X-Telegram-Bot-Api-Secret-Token: {SECRET}",
    f"https://tracker.test/pb?click=1&token={SECRET}&x=1",
    f"https://tracker.test/pb?api_key={SECRET}",
    f"https://tracker.test/pb?next=1%26secret%3D{SECRET}",
    f"Settings(secret_key='{SECRET}')",
    json.dumps({"secret": SECRET}),
    json.dumps(json.dumps({"token": SECRET})),
    f"postgresql://gatepost:{SECRET}@database/gatepost",
    f"redis://:{SECRET}@redis:6379",
    f"POST https://hooks.example/services/T00/B00/{SECRET} failed",
    f"<Request GET 'https://t.example/{SECRET}/postback?c=1'>",
    f"GET https://t.example/pb?c=1&custom={SECRET} HTTP/1.1",
    f"see https://t.example/in?next=https%3A%2F%2Fh.example%2F{SECRET}",
    json.dumps({"url": f"https://t.example/hook/{SECRET}"}).replace("/", "\\/"),
    f"POST /telegram/{SECRET} 200",
    f"https://gatepost.example/telegram/{SECRET}",
    f"GET /in/{SECRET}?tid=1 failed",
    json.dumps({"path": f"/enter/{SECRET}"}),
    f"Max retries exceeded with url: /hooks/{SECRET}?x=1 (Caused by NewConnectionError)",
    f"https://user:{SECRET}@t.example/hooks/{SECRET}",
]


@pytest.fixture(params=["json", "console"])
def log_format(request):
    return request.param


@pytest.fixture
def lines(log_format):
    """What is logged."""
    out = io.StringIO()
    logs.configure(Wanted(log_format), out)
    yield out
    logs.configure(Wanted("json"), sys.stderr)


class Wanted:
    """The two settings that logs.configure reads."""

    def __init__(self, log_format: str) -> None:
        self.log_format = log_format
        self.log_level = "info"


def assert_hidden(text: str) -> None:
    for secret in SECRETS:
        assert secret not in text
        assert secret[4:] not in text


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_secret_never_reaches_the_log(lines, planted):
    log = structlog.get_logger("test")
    log.info("thing.happened", note=planted)
    log.info(planted)
    logging.getLogger("third.party").warning("it says %s", planted)
    logging.getLogger("third.party").warning(planted)
    assert lines.getvalue().count("\n") == 4
    assert_hidden(lines.getvalue())


@pytest.mark.parametrize("planted", PLANTED)
def test_a_traceback_does_not_show_it_either(lines, planted):
    try:
        raise ValueError(planted)  # noqa: TRY301
    except ValueError:
        structlog.get_logger("test").exception("thing.failed")
        logging.getLogger("third.party").exception("it failed")
    assert "ValueError" in lines.getvalue()
    assert "Traceback" in lines.getvalue()
    assert_hidden(lines.getvalue())


def test_a_field_with_a_secret_name_is_masked_whatever_its_value(lines):
    structlog.get_logger("test").info("bot.added", token="short", api_key="x", name="visible")
    assert "short" not in lines.getvalue()
    assert "visible" in lines.getvalue()


HIDDEN = "\u202e\u2066\u200f\u061c\u200b\ufeff\u2028\x85\x7f\U000e0041"


def test_marks_that_turn_a_line_round_are_spelled_out(lines, log_format):
    structlog.get_logger("test").info("chat.seen", title=f"a{HIDDEN}b ünï 🚪")
    logging.getLogger("third.party").warning("no chat %s", f"a{HIDDEN}b")
    assert not set(HIDDEN) & set(lines.getvalue())
    assert lines.getvalue().count("\\u202e") == 2
    if log_format == "json":
        told = [json.loads(line) for line in lines.getvalue().splitlines()]
        assert told[0]["title"] == f"a{HIDDEN}b ünï 🚪"
        assert told[1]["event"] == f"no chat a{HIDDEN}b"
        assert "ünï 🚪" in lines.getvalue()


@given(st.builds(new_secret))
def test_every_key_we_make_is_masked(secret):
    assert secret not in logs.mask(f"GET /?id=7-{secret} HTTP/1.1")


@pytest.mark.parametrize(
    "harmless",
    [
        "2026-11-21T03:08:50.123456Z",
        "idempotency_key=550e8400-e29b-41d4-a716-446655440000",
        "12345678-1234-4123-8123-123456789012"[:23],
        "File 'app/leads.py', line 12, in process",
        "SECRET_KEY: is required and needs at least 16 characters",
        "http://127.0.0.1:8000/healthz",
        "GET https://t.example/api/track/postback.json?status=approve&sum=1.5 HTTP/1.1",
        "(see http://127.0.0.1:8000/docs).",
        "monkey=banana",
    ],
)
def test_what_is_no_secret_stays_readable(harmless):
    assert logs.mask(harmless) == harmless


def test_json_is_one_object_a_line_with_the_event_and_its_level(lines, log_format):
    if log_format != "json":
        pytest.skip("the console is for people")
    structlog.get_logger("test").warning("destination.blocked", destination=5)
    logging.getLogger("third.party").error("%s of %s", 1, 2)
    ours, theirs = (json.loads(line) for line in lines.getvalue().splitlines())
    assert (ours["event"], ours["level"], ours["destination"]) == (
        "destination.blocked",
        "warning",
        5,
    )
    assert theirs["event"] == "1 of 2"


def test_there_is_no_colour_where_nobody_sees_it(lines):
    structlog.get_logger("test").info("thing.happened", n=1)
    assert "\x1b" not in lines.getvalue()


def test_configuring_twice_does_not_say_things_twice(lines, log_format):
    logs.configure(Wanted(log_format), lines)
    structlog.get_logger("test").info("thing.happened")
    assert lines.getvalue().count("thing.happened") == 1


def test_the_level_holds_and_libraries_that_chat_are_heard_from_warning(lines):
    structlog.get_logger("test").debug("thing.looked")
    logging.getLogger("rq.worker").info("cleaning registries")
    logging.getLogger("rq.worker").warning("worth hearing")
    assert lines.getvalue().count("\n") == 1


@pytest.mark.parametrize("piece", ["a", "token", "x-key-", "1", "key=", "://", "1:", "b-1-"])
@pytest.mark.timeout(120)
def test_a_very_long_line_is_masked_in_no_time(piece):
    line = piece * (200_000 // len(piece))
    assert "hunter2" not in logs.mask(f"{line} token=hunter2")
