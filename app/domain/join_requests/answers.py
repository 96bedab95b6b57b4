"""What Telegram's answers to a decision mean for a request: one table. Pure.

Errors of https://core.telegram.org/method/messages.hideChatJoinRequest, as the open Bot API
server passes them on. Texts are no contract: what is not in the table fails visibly.
"""

import enum
from typing import Final

from app.domain.telegram.api_errors import Meaning


class Outcome(enum.StrEnum):
    """What becomes of a request after an answer."""

    DONE = "done"  # approved or declined
    GONE = "gone"  # withdrawn, or decided by another administrator
    INSIDE = "inside"  # the person is in the chat
    FAILED = "failed"  # never possible: shown, and not tried again
    NO_RIGHTS = "no rights"  # the desk of this chat waits for the bot's rights
    MOVED = "moved"  # the group has another id now
    FLOOD = "flood"  # wait `retry_after` seconds
    BOT_DEAD = "bot dead"
    AGAIN = "again"  # no answer, or a fault of Telegram's own


#: Pieces of the lower-case description; the first match decides, before the meaning does.
TABLE: Final = (
    ("hide_requester_missing", Outcome.GONE),
    ("user_already_participant", Outcome.INSIDE),
    ("channels_too_much", Outcome.FAILED),
    ("user_id_invalid", Outcome.FAILED),
    ("invalid user_id", Outcome.FAILED),
    ("user not outcome", Outcome.FAILED),
    ("participant_id_invalid", Outcome.FAILED),
    ("deactivated user", Outcome.FAILED),
    ("user is deactivated", Outcome.FAILED),
    ("input_user_deactivated", Outcome.FAILED),
    ("user_kicked", Outcome.FAILED),
    ("chat_admin_required", Outcome.NO_RIGHTS),
    ("not enough rights", Outcome.NO_RIGHTS),
)
#: By meaning, where no words are known.
BY_MEANING: Final = {
    Meaning.FLOOD: Outcome.FLOOD,
    Meaning.BOT_DEAD: Outcome.BOT_DEAD,
    Meaning.MIGRATED: Outcome.MOVED,
    Meaning.NO_RIGHTS: Outcome.NO_RIGHTS,
    Meaning.CHAT_LOST: Outcome.NO_RIGHTS,
    Meaning.UNREACHABLE: Outcome.NO_RIGHTS,  # any other 403 is about the chat: nobody is written to
    Meaning.SETTLED: Outcome.GONE,
    Meaning.CONFLICT: Outcome.AGAIN,
}
#: Seconds until the next try without an answer, by the number of tries; the last for all others.
PAUSES: Final = (1.0, 5.0, 30.0, 300.0)


def ending(meaning: Meaning, description: str) -> Outcome:
    """Return what a refusal means for a request."""
    if meaning not in {Meaning.FLOOD, Meaning.BOT_DEAD, Meaning.MIGRATED}:
        text = description.lower()
        for piece, outcome in TABLE:
            if piece in text:
                return outcome
    return BY_MEANING.get(meaning, Outcome.FAILED)


def pause(tries: int) -> float:
    """How many seconds to wait after so many tries without an answer. It never ends."""
    return PAUSES[min(max(tries, 1), len(PAUSES)) - 1]
