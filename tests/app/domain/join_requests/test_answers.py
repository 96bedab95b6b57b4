"""Every answer of Telegram to a decision has its consequence."""

import pytest

from app.domain.join_requests.answers import Outcome, ending, pause
from app.domain.telegram.api_errors import Meaning, meaning
from app.sandbox.telegram import faults


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (faults.REQUEST_SETTLED, Outcome.GONE),
        (faults.ALREADY_INSIDE, Outcome.INSIDE),
        (faults.CHANNELS_TOO_MUCH, Outcome.FAILED),
        (faults.refuse(400, "Bad Request: CHANNELS_TOO_MUCH"), Outcome.FAILED),
        (faults.refuse(400, "Bad Request: invalid user_id specified"), Outcome.FAILED),
        (faults.refuse(403, "Forbidden: user is deactivated"), Outcome.FAILED),
        (faults.refuse(400, "Bad Request: something new"), Outcome.FAILED),
        (faults.NO_REQUEST_RIGHTS, Outcome.NO_RIGHTS),
        (faults.refuse(400, "Bad Request: CHAT_ADMIN_REQUIRED"), Outcome.NO_RIGHTS),
        (faults.KICKED, Outcome.NO_RIGHTS),
        (faults.NOT_MEMBER, Outcome.NO_RIGHTS),
        (faults.refuse(403, "Forbidden: something new"), Outcome.NO_RIGHTS),
        (faults.UNAUTHORIZED, Outcome.BOT_DEAD),
        (faults.flood(9), Outcome.FLOOD),
        (faults.refuse(429, "HIDE_REQUESTER_MISSING"), Outcome.FLOOD),
        (faults.CONFLICT, Outcome.AGAIN),
    ],
    ids=lambda value: getattr(value, "description", str(value)),
)
def test_an_answer_means_what_the_table_says(fault, expected):
    assert ending(meaning(fault.code, fault.description), fault.description) is expected


def test_a_group_that_moved_is_known_by_its_parameter():
    assert ending(Meaning.MIGRATED, "whatever") is Outcome.MOVED


def test_pauses_grow_to_five_minutes_and_never_end():
    assert [pause(tries) for tries in (0, 1, 2, 3, 4, 99)] == [1.0, 1.0, 5.0, 30.0, 300.0, 300.0]
