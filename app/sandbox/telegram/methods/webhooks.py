"""The methods that set a webhook, and getUpdates.

Sources: https://core.telegram.org/bots/api#setwebhook and Client.cpp of the open
Bot API server, for what is refused and in which words.
"""

import re
from typing import Any, Final
from urllib.parse import urlsplit

from app.sandbox.telegram.bot.state import Webhook
from app.sandbox.telegram.call import Caller, Result, Rules
from app.sandbox.telegram.faults import Refusal

_CLOUD_PORTS: Final = {80, 88, 443, 8443}
_CLOUD_CONNECTIONS: Final = 100
_LOCAL_CONNECTIONS: Final = 100_000
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{0,256}")
_STRANGE: Final = re.compile(r"[\x00-\x20\x7f]|[^\x00-\x7f]")


def set_webhook(call: Caller) -> Result:
    """Set or change the webhook. Raises Refusal.

    As in the open server, an existing webhook is closed before the new
    parameters are checked: a refusal leaves the bot without any.
    """
    own, backlog = call.bot.subscription, call.bot.backlog
    if call.rules.pace and call.now - own.changed < call.rules.pace:
        raise Refusal(429, "Too Many Requests: retry after 1", {"retry_after": 1})
    if not call.text("url"):
        return delete_webhook(call)
    webhook, before, drop = _asked(call), own.allowed, call.flag("drop_pending_updates")
    _set_allowed(call)
    if (webhook, before) == (own.webhook, own.allowed) and not drop:
        return Result(True, "Webhook is already set")
    own.webhook, own.changed = Webhook(), call.now
    _check(webhook, call.rules)
    own.webhook, own.last_error = webhook, None
    if drop:
        backlog.drop_all()
    return Result(True, "Webhook was set", webhook_changed=True)


def delete_webhook(call: Caller) -> Result:
    """Close the webhook; the backlog stays unless the call drops it."""
    own = call.bot.subscription
    was_set, own.webhook = bool(own.webhook.url), Webhook()
    if call.flag("drop_pending_updates"):
        call.bot.backlog.drop_all()
    text = "Webhook was deleted" if was_set else "Webhook is already deleted"
    return Result(True, text, webhook_changed=was_set)


def get_webhook_info(call: Caller) -> Result:
    """Return what is set now."""
    own = call.bot.subscription
    webhook = own.webhook
    info: dict[str, Any] = {
        "url": webhook.url,
        "has_custom_certificate": False,
        "pending_update_count": len(call.bot.backlog),
    }
    if webhook.url:
        info["max_connections"] = webhook.max_connections
    if webhook.ip_address:
        info["ip_address"] = webhook.ip_address
    if own.last_error and webhook.url:
        info["last_error_date"], info["last_error_message"] = own.last_error
    if own.allowed:
        info["allowed_updates"] = list(own.allowed)
    return Result(info)


def poll(call: Caller) -> list[dict[str, Any]]:
    """Return the updates that getUpdates would, without waiting. Raises Refusal."""
    if call.bot.subscription.webhook.url:
        raise Refusal(
            409,
            "Conflict: can't use getUpdates method while webhook is active; "
            "use deleteWebhook to delete the webhook first",
        )
    _set_allowed(call)
    if offset := call.number("offset"):
        call.bot.backlog.confirm(offset)
    limit = min(max(call.number("limit", 100), 1), 100)
    return [queued.update for queued in call.bot.backlog.oldest(limit)]


def _asked(call: Caller) -> Webhook:
    most = _LOCAL_CONNECTIONS if call.rules.local else _CLOUD_CONNECTIONS
    return Webhook(
        url=call.text("url"),
        secret=call.text("secret_token"),
        max_connections=min(max(call.number("max_connections", 40), 1), most),
        ip_address=call.text("ip_address"),
    )


def _set_allowed(call: Caller) -> None:
    """Without the parameter the last list stays; a broken one becomes the default."""
    if "allowed_updates" in call.params:
        kinds = call.structure("allowed_updates")
        call.bot.subscription.allow(kinds if isinstance(kinds, list) else [])


def _check(webhook: Webhook, rules: Rules) -> None:
    if not _SECRET.fullmatch(webhook.secret):
        raise Refusal(400, "Bad Request: secret token contains unallowed characters")
    try:
        parts = urlsplit(webhook.url)
        host, port = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        host, port = None, 0
    if not host or _STRANGE.search(webhook.url):
        raise Refusal(400, "Bad Request: bad webhook: invalid webhook URL specified")
    if parts.scheme not in (("https", "http") if rules.local else ("https",)):
        raise Refusal(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
    if not rules.local and port not in _CLOUD_PORTS:
        raise Refusal(
            400,
            "Bad Request: bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443",
        )
