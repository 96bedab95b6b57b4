"""The methods of the Bot API that the double knows, as one table.

A method takes a call and returns its Result, or raises Refusal. Sources:
core.telegram.org/bots/api and the open server's Client.cpp, for what is
refused and in which words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from app.sandbox.telegram.call import Caller, Result, Rules
from app.sandbox.telegram.faults import Refusal
from app.sandbox.telegram.payments import (
    answer_pre_checkout_query,
    create_invoice_link,
    refund_star_payment,
    send_invoice,
)
from app.sandbox.telegram.sending import send_message, send_photo, send_video
from app.sandbox.telegram.state import Webhook

_CLOUD_PORTS: Final = {80, 88, 443, 8443}
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{0,256}")
_STRANGE: Final = re.compile(r"[\x00-\x20\x7f]|[^\x00-\x7f]")


def get_me(call: Caller) -> Result:
    """Who the token belongs to."""
    return Result(call.bot.me() | {"can_join_groups": True, "supports_inline_queries": False})


def set_webhook(call: Caller) -> Result:
    """Set or change the hook.

    As in the open server, an existing hook is closed before the new
    parameters are looked at: a refusal leaves the bot without any.
    """
    bot = call.bot
    if call.rules.pace and call.now - bot.hook_changed < call.rules.pace:
        raise Refusal(429, "Too Many Requests: retry after 1", {"retry_after": 1})
    url = call.text("url")
    if not url:
        return delete_webhook(call)
    wanted = Webhook(
        url=url,
        secret=call.text("secret_token"),
        max_connections=min(max(call.number("max_connections", 40), 1), 100_000),
        ip_address=call.text("ip_address"),
    )
    allowed = bot.allowed
    _take_allowed(call)
    if wanted == bot.webhook and allowed == bot.allowed and not call.flag("drop_pending_updates"):
        return Result(True, "Webhook is already set")
    bot.webhook = Webhook()
    bot.hook_changed = call.now
    _check_webhook(wanted, call.rules)
    bot.webhook, bot.last_error = wanted, None
    if call.flag("drop_pending_updates"):
        bot.forget_all()
    return Result(True, "Webhook was set", hook_changed=True)


def delete_webhook(call: Caller) -> Result:
    """Close the hook; the backlog stays unless told otherwise."""
    was_set = bool(call.bot.webhook.url)
    call.bot.webhook = Webhook()
    if call.flag("drop_pending_updates"):
        call.bot.forget_all()
    text = "Webhook was deleted" if was_set else "Webhook is already deleted"
    return Result(True, text, hook_changed=was_set)


def get_webhook_info(call: Caller) -> Result:
    """What is set now."""
    bot, hook = call.bot, call.bot.webhook
    info: dict[str, Any] = {
        "url": hook.url,
        "has_custom_certificate": False,
        "pending_update_count": len(bot.pending),
    }
    if hook.url:
        info["max_connections"] = hook.max_connections
    if hook.ip_address:
        info["ip_address"] = hook.ip_address
    if bot.last_error and hook.url:
        info["last_error_date"], info["last_error_message"] = bot.last_error
    if bot.allowed:
        info["allowed_updates"] = list(bot.allowed)
    return Result(info)


def poll(call: Caller) -> list[dict[str, Any]]:
    """The part of getUpdates that does not wait."""
    if call.bot.webhook.url:
        raise Refusal(
            409,
            "Conflict: can't use getUpdates method while webhook is active; "
            "use deleteWebhook to delete the webhook first",
        )
    _take_allowed(call)
    if offset := call.number("offset"):
        call.bot.confirm(offset)
    limit = min(max(call.number("limit", 100), 1), 100)
    return [queued.update for queued in call.bot.waiting(limit)]


def answer_join_request(call: Caller) -> Result:
    """Approve or decline. A test that wants the request settled orders that fault."""
    call.chat()
    if not call.number("user_id"):
        raise Refusal(400, "Bad Request: invalid user_id specified")
    return Result(True)


def create_chat_invite_link(call: Caller) -> Result:
    """A link of the bot's own."""
    if len(call.text("name")) > 32:
        raise Refusal(400, "Bad Request: invite link name must be at most 32 characters long")
    if call.flag("creates_join_request") and call.number("member_limit"):
        raise Refusal(
            400, "Bad Request: member limit can't be specified for links requiring approval"
        )
    call.chat()
    link = {
        "invite_link": f"https://t.me/+{call.bot.id:x}{call.bot.next_message_id():010x}",
        "creator": call.bot.me(),
        "creates_join_request": call.flag("creates_join_request"),
        "is_primary": False,
        "is_revoked": False,
    }
    return Result(link | ({"name": call.text("name")} if call.text("name") else {}))


def get_chat_member(call: Caller) -> Result:
    """What the last membership update said of this person."""
    known = call.bot.standings.get((call.chat(), call.number("user_id")))
    if known is None:
        raise Refusal(400, "Bad Request: user not found")
    return Result(known)


def say_yes(_call: Caller) -> Result:
    """`logOut`, `close` and the like: accepted, and nothing happens."""
    return Result(True)


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
    "approvechatjoinrequest": answer_join_request,
    "declinechatjoinrequest": answer_join_request,
    "createchatinvitelink": create_chat_invite_link,
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


def _take_allowed(call: Caller) -> None:
    """Left out keeps the last list; a broken one is the default."""
    if "allowed_updates" in call.params:
        kinds = call.structure("allowed_updates")
        call.bot.allow(kinds if isinstance(kinds, list) else [])


def _check_webhook(hook: Webhook, rules: Rules) -> None:
    if not _SECRET.fullmatch(hook.secret):
        raise Refusal(400, "Bad Request: secret token contains unallowed characters")
    try:
        parts = urlsplit(hook.url)
        host, port = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        host, port = None, 0
    if not host or _STRANGE.search(hook.url):
        raise Refusal(400, "Bad Request: bad webhook: invalid webhook URL specified")
    if parts.scheme not in (("https", "http") if rules.local else ("https",)):
        raise Refusal(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
    if not rules.local and port not in _CLOUD_PORTS:
        raise Refusal(
            400,
            "Bad Request: bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443",
        )
