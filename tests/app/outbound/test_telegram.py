"""The Bot API client: what is sent, and what an answer is taken for."""

import contextlib
import json
import traceback
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.telegram.api_errors import TABLE, Meaning, meaning
from app.outbound.telegram import BotApi, TelegramRefused, TelegramUnreachable, build, read
from app.outbound.transport import Answer, Failure
from app.sandbox.telegram import faults
from plugins.contract import Response

TOKEN = "4242:AAsecret-part_of-the-token"


def _answer(status: int, body: bytes) -> Answer:
    return Answer(None, Response(status, {}, body), None, "", 1, 0.0)


def _said(status: int = 200, **body: Any) -> Answer:
    return _answer(status, json.dumps(body).encode())


def test_the_token_is_a_secret_of_the_request() -> None:
    request = build(
        "sendMessage", {"chat_id": 1, "text": "hi", "parse_mode": None}, TOKEN, "http://b"
    )
    assert request.url == f"http://b/bot{TOKEN}/sendMessage"
    assert json.loads(request.body) == {"chat_id": 1, "text": "hi"}
    assert TOKEN not in request.redacted()


def test_half_a_surrogate_pair_can_be_said() -> None:
    request = build("sendMessage", {"text": "\ud83d"}, TOKEN, "http://b")
    assert json.loads(request.body)["text"] == "\ud83d"


def test_a_result_is_returned_even_when_it_is_false_or_empty() -> None:
    assert read(_said(ok=True, result=False), TOKEN) is False
    assert read(_said(ok=True, result=[]), TOKEN) == []


def test_a_refusal_carries_what_telegram_said() -> None:
    answer = _said(
        429, ok=False, error_code=429, description="Too Many", parameters={"retry_after": 35}
    )
    with pytest.raises(TelegramRefused) as caught:
        read(answer, TOKEN)
    assert (caught.value.code, caught.value.retry_after) == (429, 35)
    assert caught.value.meaning is Meaning.FLOOD


def test_a_group_that_moved_is_told_by_its_parameters() -> None:
    answer = _said(
        400, ok=False, error_code=400, description="Bad", parameters={"migrate_to_chat_id": -1001}
    )
    with pytest.raises(TelegramRefused) as caught:
        read(answer, TOKEN)
    assert caught.value.migrate_to == -1001
    assert caught.value.meaning is Meaning.MIGRATED


def test_the_token_is_masked_in_what_telegram_says() -> None:
    with pytest.raises(TelegramRefused) as caught:
        read(_said(404, ok=False, error_code=404, description=f"no /bot{TOKEN}/x"), TOKEN)
    assert TOKEN not in str(caught.value)
    assert TOKEN not in repr(caught.value)


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_server_error_may_have_sent(status: int) -> None:
    with pytest.raises(TelegramUnreachable) as caught:
        read(_said(status, ok=False, error_code=status, description="Internal"), TOKEN)
    assert caught.value.sent


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"ok":true,"resu', b"[]", b"null", b"{}"])
@pytest.mark.parametrize("status", [200, 302, 401, 403, 404])
def test_an_answer_that_is_not_telegrams_is_no_refusal(status: int, body: bytes) -> None:
    with pytest.raises(TelegramUnreachable):
        read(_answer(status, body), TOKEN)


def test_a_timeout_may_have_sent() -> None:
    with pytest.raises(TelegramUnreachable) as caught:
        read(Answer(None, None, Failure.TIMEOUT, "timeout", 1, 0.0), TOKEN)
    assert caught.value.sent


@given(st.integers(100, 599), st.binary(max_size=200))
def test_no_answer_breaks_the_client(status: int, body: bytes) -> None:
    with contextlib.suppress(TelegramRefused, TelegramUnreachable):
        read(_answer(status, body), TOKEN)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists, max_leaves=4
)


@given(
    st.dictionaries(st.sampled_from(["error_code", "description", "parameters", "result"]), _JSON)
)
def test_no_refusal_breaks_the_client(fields: dict[str, Any]) -> None:
    with contextlib.suppress(TelegramRefused, TelegramUnreachable):
        read(_said(400, **{**fields, "ok": False}), TOKEN)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (faults.UNAUTHORIZED, Meaning.BOT_DEAD),
        (faults.BLOCKED, Meaning.UNREACHABLE),
        (faults.DEACTIVATED, Meaning.UNREACHABLE),
        (faults.NEVER_STARTED, Meaning.UNREACHABLE),
        (faults.KICKED, Meaning.CHAT_LOST),
        (faults.NOT_MEMBER, Meaning.CHAT_LOST),
        (faults.GROUP_DELETED, Meaning.CHAT_LOST),
        (faults.CHAT_NOT_FOUND, Meaning.REFUSED),
        (faults.NO_RIGHTS, Meaning.NO_RIGHTS),
        (faults.REQUEST_SETTLED, Meaning.SETTLED),
        (faults.BAD_ENTITIES, Meaning.UNPARSABLE),
        (faults.CONFLICT, Meaning.CONFLICT),
    ],
)
def test_the_words_of_telegram_have_a_meaning(fault: faults.Fault, expected: Meaning) -> None:
    assert meaning(fault.code, fault.description) is expected


def test_every_row_of_the_table_can_be_reached() -> None:
    for code, piece, expected in TABLE:
        assert meaning(code, f"Bad: {piece.upper()} …") is expected


def test_no_token_stands_in_the_traceback_of_a_call_that_fails() -> None:
    with pytest.raises(TelegramUnreachable) as caught:
        BotApi("http://127.0.0.1:1", TOKEN, seconds=2).call("getMe")
    assert not caught.value.sent
    assert TOKEN not in "".join(traceback.format_exception(caught.value))
    assert TOKEN not in repr(BotApi("http://127.0.0.1:1", TOKEN))
