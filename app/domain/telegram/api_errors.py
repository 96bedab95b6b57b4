"""What Telegram's refusals mean: one table of vendor texts.

Error text is not a contract, so the code decides first, then a lower-case
piece of the description, then the fallback of that code. Texts as in
core.telegram.org/bots/api and in tdlib/telegram-bot-api `Client.cpp`.
"""

import enum
from typing import Final


class Meaning(enum.StrEnum):
    """What a refusal means. What we do about it depends on nothing else."""

    BOT_DEAD = "bot dead"  # the token was revoked or the bot deleted
    UNREACHABLE = "unreachable"  # this bot may not write to this person
    CHAT_LOST = "chat lost"  # the bot is no longer in that chat
    MIGRATED = "migrated"  # the group became a supergroup
    FILE_GONE = "file gone"  # the file_id is not, or no longer, good for this bot
    UNPARSABLE = "unparsable"  # the entities of the text do not parse
    BAD_BUTTON = "bad button"  # a button of the message, mostly its URL
    EMPTY = "empty"  # nothing is left of the text
    NO_RIGHTS = "no rights"  # the bot lacks an administrator's right
    SETTLED = "settled"  # it was done already
    CONFLICT = "conflict"  # a webhook, or someone else polling
    FLOOD = "flood"  # wait `retry_after` seconds
    REFUSED = "refused"  # permanent, for any other reason


#: (code, piece of the lower-case description, meaning); the first match decides.
TABLE: Final = (
    (401, "", Meaning.BOT_DEAD),
    (403, "kicked from", Meaning.CHAT_LOST),
    (403, "bot is not a member", Meaning.CHAT_LOST),
    (403, "group chat was deleted", Meaning.CHAT_LOST),
    (403, "group chat was deactivated", Meaning.CHAT_LOST),
    (403, "not enough rights", Meaning.NO_RIGHTS),
    (403, "", Meaning.UNREACHABLE),
    (400, "can't parse entities", Meaning.UNPARSABLE),
    (400, "can't find end of", Meaning.UNPARSABLE),
    (400, "button", Meaning.BAD_BUTTON),
    (400, "reply_markup", Meaning.BAD_BUTTON),
    (400, "reply keyboard markup", Meaning.BAD_BUTTON),
    (400, "entity", Meaning.UNPARSABLE),
    (400, "entities_too_long", Meaning.UNPARSABLE),
    (400, "text is empty", Meaning.EMPTY),
    (400, "wrong file identifier", Meaning.FILE_GONE),
    (400, "wrong remote file", Meaning.FILE_GONE),
    (400, "wrong file_id", Meaning.FILE_GONE),
    (400, "file reference", Meaning.FILE_GONE),
    (400, "file_reference", Meaning.FILE_GONE),
    (400, "group chat was upgraded", Meaning.MIGRATED),
    (400, "message is not modified", Meaning.SETTLED),
    (400, "hide_requester_missing", Meaning.SETTLED),
    (400, "user_already_participant", Meaning.SETTLED),
    (400, "not enough rights", Meaning.NO_RIGHTS),
    (400, "have no rights", Meaning.NO_RIGHTS),
    (400, "chat_admin_required", Meaning.NO_RIGHTS),
    (409, "", Meaning.CONFLICT),
    (429, "", Meaning.FLOOD),
)


def meaning(code: int, description: str, *, moved: bool = False) -> Meaning:
    """The meaning of a refusal. `moved`: its parameters have `migrate_to_chat_id`."""
    if moved:
        return Meaning.MIGRATED
    text = description.lower()
    for row_code, piece, row_meaning in TABLE:
        if code == row_code and piece in text:
            return row_meaning
    return Meaning.REFUSED
