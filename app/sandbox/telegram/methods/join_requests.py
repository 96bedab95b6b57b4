"""approveChatJoinRequest and declineChatJoinRequest, for requests that wait.

Sources: https://core.telegram.org/bots/api#approvechatjoinrequest; what is refused,
in this order: Client.cpp of the open Bot API server, can_manage_dialog_join_requests
in td/telegram/DialogParticipantManager.cpp, and the errors of
https://core.telegram.org/method/messages.hideChatJoinRequest. Not played: bots
that a chat has assigned to its requests, and their `query_id`.
"""

from typing import Any

from app.sandbox.telegram.bot.join_requests import JoinRequest
from app.sandbox.telegram.call import Caller, Result
from app.sandbox.telegram.faults import (
    ALREADY_INSIDE,
    NO_REQUEST_RIGHTS,
    REQUEST_SETTLED,
    Refusal,
)


def approve_chat_join_request(call: Caller) -> Result:
    """Let the person in; the `chat_member` update of it follows. Raises Refusal."""
    return Result(True, then=_joined(call, _decided(call)))


def decline_chat_join_request(call: Caller) -> Result:
    """Forget the request. No update tells of it. Raises Refusal."""
    _decided(call)
    return Result(True)


def _decided(call: Caller) -> JoinRequest:
    """Take out the request that the call is about. Raises Refusal."""
    user = call.number("user_id")
    if user <= 0:
        raise Refusal(400, "Bad Request: invalid user_id specified")
    chat, chats = call.chat(), call.bot.chats
    if chat > 0:
        raise Refusal(400, "Bad Request: the chat can't have join requests")
    if not chats.may_invite(chat):
        raise NO_REQUEST_RIGHTS.refusal()
    if chats.is_inside(chat, user):
        raise ALREADY_INSIDE.refusal()
    request = chats.requests.pop(chat, user)
    if request is None:
        raise REQUEST_SETTLED.refusal()
    return request


def _joined(call: Caller, request: JoinRequest) -> dict[str, Any]:
    """Return the update of an approved request. A request by link carries the link."""
    how = {"invite_link": request.link} if request.link else {"via_join_request": True}
    change = {
        "chat": request.chat,
        "from": call.bot.identity.user(),
        "date": int(call.now),
        "old_chat_member": {"user": request.user, "status": "left"},
        "new_chat_member": {"user": request.user, "status": "member"},
    }
    return {"chat_member": change | how}
