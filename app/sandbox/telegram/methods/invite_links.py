"""createChatInviteLink, editChatInviteLink and revokeChatInviteLink, for the bot's own links.

Sources: https://core.telegram.org/bots/api#createchatinvitelink; what is refused:
td/telegram/DialogInviteLinkManager.cpp, and the errors of
https://core.telegram.org/method/messages.exportChatInvite and
messages.editExportedChatInvite. The double knows no primary links.
"""

from typing import Final

from app.sandbox.telegram.bot.invite_links import InviteLink
from app.sandbox.telegram.call import Caller, Result
from app.sandbox.telegram.faults import NO_RIGHTS, Refusal

#: A longer name is cut, as clean_name does in TDLib.
MAX_NAME: Final = 32
MAX_MEMBERS: Final = 99_999


def create_chat_invite_link(call: Caller) -> Result:
    """Make a link of the bot's own. Raises Refusal."""
    chat = _chat(call)
    _check_limits(call)
    return _answer(call, _configure(call, call.bot.chats.links.add(chat)))


def edit_chat_invite_link(call: Caller) -> Result:
    """Replace name and limits of a link; those that are left out are none. Raises Refusal."""
    chat = _chat(call)
    link = _own_link(call, chat)
    _check_limits(call)
    return _answer(call, _configure(call, link))


def revoke_chat_invite_link(call: Caller) -> Result:
    """Close a link for good. Raises Refusal."""
    link = _own_link(call, _chat(call))
    link.is_revoked = True
    return _answer(call, link)


def _chat(call: Caller) -> int:
    chat = call.chat()
    if chat > 0:
        raise Refusal(400, "Bad Request: can't invite members to a private chat")
    if not call.bot.chats.may_invite(chat):
        raise NO_RIGHTS.refusal()
    return chat


def _own_link(call: Caller, chat: int) -> InviteLink:
    """Return the link that a call names. Raises Refusal.

    Ours: a revoked link, one of another administrator and one that never was
    are refused alike.
    """
    url = call.text("invite_link")
    if not url:
        raise Refusal(400, "Bad Request: invite link must be non-empty")
    link = call.bot.chats.links.get(chat, url)
    if link is None or link.is_revoked:
        raise Refusal(400, "Bad Request: INVITE_HASH_EXPIRED")
    return link


def _check_limits(call: Caller) -> None:
    limit, date = call.number("member_limit"), call.number("expire_date")
    if limit and call.flag("creates_join_request"):
        raise Refusal(
            400,
            "Bad Request: member limit can't be specified for links requiring "
            "administrator approval",
        )
    if date and date <= call.now:
        raise Refusal(400, "Bad Request: EXPIRE_DATE_INVALID")
    if not 0 <= limit <= MAX_MEMBERS:
        raise Refusal(400, "Bad Request: USAGE_LIMIT_INVALID")


def _configure(call: Caller, link: InviteLink) -> InviteLink:
    link.name = call.text("name")[:MAX_NAME]
    link.expire_date = call.number("expire_date")
    link.member_limit = call.number("member_limit")
    link.creates_join_request = call.flag("creates_join_request")
    return link


def _answer(call: Caller, link: InviteLink) -> Result:
    chats = call.bot.chats
    return Result(chats.links.as_object(link, chats.requests.count_by(link.url)))
