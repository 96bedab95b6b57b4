"""The methods of the Bot API that the double knows, as one table.

A method takes a call and returns its Result, or raises Refusal. Source:
https://core.telegram.org/bots/api, Bot API 10.3.
"""

from collections.abc import Callable, Mapping
from typing import Final

from app.sandbox.telegram.call import Caller, Result
from app.sandbox.telegram.faults import Refusal
from app.sandbox.telegram.methods.invite_links import (
    create_chat_invite_link,
    edit_chat_invite_link,
    revoke_chat_invite_link,
)
from app.sandbox.telegram.methods.join_requests import (
    approve_chat_join_request,
    decline_chat_join_request,
)
from app.sandbox.telegram.methods.payments import (
    answer_pre_checkout_query,
    create_invoice_link,
    refund_star_payment,
    send_invoice,
)
from app.sandbox.telegram.methods.sending import send_message, send_photo, send_video
from app.sandbox.telegram.methods.webhooks import delete_webhook, get_webhook_info, set_webhook


def get_me(call: Caller) -> Result:
    """Return whose token it is."""
    user = call.bot.identity.user()
    return Result(user | {"can_join_groups": True, "supports_inline_queries": False})


def get_chat_member(call: Caller) -> Result:
    """Return what the last membership update told of a person. Raises Refusal."""
    member = call.bot.chats.member(call.chat(), call.number("user_id"))
    if member is None:
        raise Refusal(400, "Bad Request: user not found")
    return Result(member)


def get_chat(call: Caller) -> Result:
    """Return a chat of which an update told, as it was then. Raises Refusal.

    Ours: of a `ChatFullInfo` only what must be there.
    """
    chat = call.bot.chats.seen.get(call.chat())
    if chat is None:
        raise Refusal(400, "Bad Request: chat not found")
    gifts = dict.fromkeys(_GIFTS, False)
    full = {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": gifts}
    return Result(chat | full)


def say_yes(_call: Caller) -> Result:
    """Answer true and do nothing. Ours, for methods whose effect nobody here looks at."""
    return Result(True)


#: Fields of AcceptedGiftTypes.
_GIFTS: Final = (
    "unlimited_gifts",
    "limited_gifts",
    "unique_gifts",
    "premium_subscription",
    "gifts_from_channels",
)
#: Lower-case name → method; Telegram does not mind the case. getUpdates waits,
#: so the server does it.
METHODS: Final[Mapping[str, Callable[[Caller], Result]]] = {
    "getme": get_me,
    "setwebhook": set_webhook,
    "deletewebhook": delete_webhook,
    "getwebhookinfo": get_webhook_info,
    "sendmessage": send_message,
    "sendphoto": send_photo,
    "sendvideo": send_video,
    "approvechatjoinrequest": approve_chat_join_request,
    "declinechatjoinrequest": decline_chat_join_request,
    "answerchatjoinrequestquery": say_yes,
    "createchatinvitelink": create_chat_invite_link,
    "editchatinvitelink": edit_chat_invite_link,
    "revokechatinvitelink": revoke_chat_invite_link,
    "getchat": get_chat,
    "getchatmember": get_chat_member,
    "sendinvoice": send_invoice,
    "createinvoicelink": create_invoice_link,
    "answerprecheckoutquery": answer_pre_checkout_query,
    "refundstarpayment": refund_star_payment,
    "answercallbackquery": say_yes,
    "sendchataction": say_yes,
    "setmycommands": say_yes,
    "logout": say_yes,
    "close": say_yes,
}
