"""Telegram's refusals are understood by code first, then by their text."""

import pytest

from app.domain.telegram.api_errors import TABLE, Meaning, meaning


@pytest.mark.parametrize(
    ("code", "description", "expected"),
    [
        (401, "Unauthorized", Meaning.BOT_DEAD),
        (403, "Forbidden: bot was blocked by the user", Meaning.UNREACHABLE),
        (403, "Forbidden: bot was kicked from the supergroup chat", Meaning.CHAT_LOST),
        (400, "Bad Request: can't parse entities: Can't find end of", Meaning.UNPARSABLE),
        (400, "Bad Request: wrong file identifier/HTTP URL specified", Meaning.FILE_GONE),
        (400, "Bad Request: USER_ALREADY_PARTICIPANT", Meaning.SETTLED),
        (400, "Bad Request: not enough rights to manage chat", Meaning.NO_RIGHTS),
        (409, "Conflict: terminated by other getUpdates request", Meaning.CONFLICT),
        (429, "Too Many Requests: retry after 5", Meaning.FLOOD),
        (400, "Bad Request: something new", Meaning.REFUSED),
        (418, "I'm a teapot", Meaning.REFUSED),
    ],
)
def test_refusals_have_their_meaning(code: int, description: str, expected: Meaning) -> None:
    assert meaning(code, description) is expected


def test_a_group_that_moved_is_recognised_by_its_parameters() -> None:
    assert meaning(400, "anything", moved=True) is Meaning.MIGRATED


def test_every_row_of_the_table_can_be_reached() -> None:
    for code, piece, expected in TABLE:
        assert meaning(code, f"Bad Request: {piece.upper()}") is expected
