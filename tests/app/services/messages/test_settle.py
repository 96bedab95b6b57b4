"""What an answer of Telegram means for a message; writing it is tested with the loop."""

import json
from dataclasses import replace

import pytest

from app.domain.welcome import GREETING
from app.models import MessageState
from app.outbound.transport import Answer, Failure
from app.services.messages.claim import NO_ANSWER, ClaimedMessage
from app.services.messages.settle import MAX_FILE_ID, REPEAT_SECONDS, MessageResult, judge
from plugins.contract import Response

NOW = 1_800_000_000.0
MESSAGE = ClaimedMessage(
    id=1,
    lease="lease",
    bot_id=2,
    token="2:token",
    chat_id=7,
    campaign_id=3,
    text="hello",
    media=None,
    file_id=None,
    parse_mode="Markdown",
    markup="",
    tries=1,
    reason="",
    created=NOW - 1,
)
PHOTO = replace(MESSAGE, media="img_1")


def answered(status: int, body: str) -> Answer:
    return Answer(1, Response(status, {}, body.encode()), None, "", 5, NOW)


def refused(code: int, description: str, parameters: str = "{}") -> Answer:
    fields = f'"error_code":{code},"description":"{description}","parameters":{parameters}'
    return answered(code, f'{{"ok":false,{fields}}}')


def failed(failure: Failure) -> Answer:
    return Answer(1, None, failure, "no answer", 5, NOW)


def result_of(answer: Answer, message: ClaimedMessage = MESSAGE) -> MessageResult:
    return judge(message, answer, now=NOW, chance=0.5)


def test_an_accepted_message_is_sent() -> None:
    result = result_of(answered(200, '{"ok":true,"result":{}}'))
    assert (result.state, result.is_final, result.file_id) == (MessageState.SENT, True, "")


@pytest.mark.parametrize("failure", [Failure.TIMEOUT, Failure.ABORTED, Failure.TOO_LARGE])
def test_without_an_answer_it_is_repeated_once_and_then_uncertain(failure: Failure) -> None:
    first = result_of(failed(failure))
    assert (first.state, first.reason) == (MessageState.WAITING, NO_ANSWER)
    assert first.due == NOW + REPEAT_SECONDS
    second = result_of(failed(failure), replace(MESSAGE, reason=NO_ANSWER))
    assert (second.state, second.is_final) == (MessageState.UNCERTAIN, True)


def test_what_never_left_is_tried_again_until_it_is_too_old() -> None:
    result = result_of(failed(Failure.UNREACHABLE))
    assert (result.state, result.is_final) == (MessageState.WAITING, False)
    assert result.due > NOW
    old = replace(MESSAGE, tries=50, created=NOW - 30 * 86_400)
    assert result_of(failed(Failure.UNREACHABLE), old).state is MessageState.FAILED


def test_a_flood_wait_counts_no_try_and_keeps_the_reason() -> None:
    message = replace(MESSAGE, tries=3, reason=NO_ANSWER)
    result = result_of(refused(429, "Too Many Requests", '{"retry_after":10}'), message)
    assert (result.state, result.tries, result.reason) == (MessageState.WAITING, 2, NO_ANSWER)
    assert NOW + 10 < result.quiet_until < NOW + 12


def test_a_refused_token_is_reported_for_the_bot_and_keeps_the_message() -> None:
    result = result_of(refused(401, "Unauthorized"))
    assert (result.state, result.bot_dead, result.tries) == (MessageState.WAITING, True, 0)


def test_a_person_who_blocked_the_bot_ends_the_message() -> None:
    result = result_of(refused(403, "Forbidden: bot was blocked by the user"))
    assert result.state is MessageState.UNREACHABLE


def test_unparsable_text_is_sent_again_without_formatting() -> None:
    parse_error = refused(400, "Bad Request: can't parse entities")
    result = result_of(parse_error)
    assert (result.state, result.parse_mode) == (MessageState.WAITING, "")
    assert "entities" in result.fault
    plain = result_of(parse_error, replace(MESSAGE, parse_mode=""))
    assert plain.state is MessageState.FAILED


def test_any_other_refusal_is_final() -> None:
    result = result_of(refused(400, "Bad Request: chat not found"))
    assert (result.state, result.reason) == (
        MessageState.FAILED,
        "400: Bad Request: chat not found",
    )


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (413, "Request Entity Too Large"),
        (400, "Bad Request: failed to get HTTP URL content"),
        (400, "Bad Request: message caption is too long"),
        (400, "Bad Request: something new"),
    ],
)
def test_of_what_is_refused_in_unknown_words_one_part_after_the_other_is_left_out(
    code: int, words: str
) -> None:
    message = replace(PHOTO, parse_mode="", entities='[{"type":"bold"}]', markup="{}")
    first = result_of(refused(code, words), message)
    assert (first.state, first.without_media, first.text) == (MessageState.WAITING, True, None)
    assert first.fault
    second = result_of(refused(code, words), replace(message, media=None))
    assert (second.state, second.entities, second.markup) == (MessageState.WAITING, "", None)
    third = result_of(refused(code, words), replace(message, media=None, entities=""))
    assert (third.state, third.markup) == (MessageState.WAITING, "")
    bare = replace(message, media=None, entities="", markup="")
    assert result_of(refused(code, words), bare).state is MessageState.FAILED


@pytest.mark.parametrize("words", ["chat not found", "PEER_ID_INVALID", "user is deactivated"])
def test_a_refusal_of_the_person_ends_a_message_whatever_it_carries(words: str) -> None:
    assert result_of(refused(400, f"Bad Request: {words}"), PHOTO).state is MessageState.FAILED


def test_a_file_id_that_is_too_old_is_forgotten_and_counts_no_try() -> None:
    message = replace(PHOTO, file_id="old", tries=2)
    result = result_of(refused(400, "Bad Request: wrong file identifier"), message)
    assert (result.state, result.file_gone, result.tries) == (MessageState.WAITING, True, 1)


def test_media_that_telegram_refuses_leaves_its_text_or_a_greeting() -> None:
    answer = refused(400, "Bad Request: PHOTO_INVALID_DIMENSIONS")
    result = result_of(answer, PHOTO)
    assert (result.state, result.without_media) == (MessageState.WAITING, True)
    assert result.text is None
    alone = result_of(answer, replace(PHOTO, text=" "))
    assert (alone.state, alone.without_media) == (MessageState.WAITING, True)
    assert (alone.text, "INVALID" in alone.fault) == (GREETING, True)


@pytest.mark.parametrize(
    ("sent", "file_id"),
    [
        ('{"photo":[{"file_id":"small"},{"file_id":"large"}]}', "large"),
        ('{"video":{"file_id":"film"}}', "film"),
        ('{"video":{"file_id":5}}', ""),
        ('{"photo":[]}', ""),
        ("[]", ""),
        (f'{{"video":{{"file_id":"{"x" * (MAX_FILE_ID + 1)}"}}}}', ""),
    ],
)
def test_the_file_id_of_uploaded_media_is_remembered(sent: str, file_id: str) -> None:
    answer = answered(200, f'{{"ok":true,"result":{sent}}}')
    assert result_of(answer, PHOTO).file_id == file_id
    assert result_of(answer).file_id == ""
    assert result_of(answer, replace(PHOTO, file_id="known")).file_id == ""


@pytest.mark.parametrize(
    ("entities", "fewer"),
    [
        (["bold", "text_link"], ["bold"]),
        (["text_link"], []),
        (["bold", "italic"], []),
    ],
)
def test_entities_that_telegram_refuses_are_left_out_links_first(
    entities: list[str], fewer: list[str]
) -> None:
    message = replace(
        MESSAGE, parse_mode="", entities=json.dumps([{"type": type_} for type_ in entities])
    )
    result = result_of(refused(400, "Bad Request: Entity URL 'x' is invalid"), message)
    assert (result.state, result.fault != "") == (MessageState.WAITING, True)
    assert [one["type"] for one in json.loads(result.entities or "[]")] == fewer
    last = replace(message, entities=result.entities or "")
    if not fewer:
        answer = refused(400, "Bad Request: Entity URL 'x' is invalid")
        assert result_of(answer, last).state is MessageState.FAILED


@pytest.mark.parametrize(
    "words",
    [
        "Bad Request: inline keyboard button URL 'https://intranet/photo' is invalid",
        "Bad Request: BUTTON_URL_INVALID",
        "Bad Request: REPLY_MARKUP_INVALID",
    ],
)
def test_a_button_that_telegram_refuses_is_left_out(words: str) -> None:
    message = replace(PHOTO, markup="{}")
    result = result_of(refused(400, words), message)
    assert (result.state, result.markup, result.fault) == (MessageState.WAITING, "", words)
    assert not result.without_media
    assert result_of(refused(400, words), replace(MESSAGE, markup="")).is_final


def test_a_text_of_which_nothing_is_left_gives_way_to_a_greeting_once() -> None:
    answer = refused(400, "Bad Request: message text is empty")
    result = result_of(answer, replace(MESSAGE, entities="[]"))
    assert (result.state, "empty" in result.fault) == (MessageState.WAITING, True)
    assert (result.text, result.entities) == (GREETING, "")
    again = result_of(answer, replace(MESSAGE, text=GREETING))
    assert (again.state, "empty" in again.fault) == (MessageState.FAILED, True)
