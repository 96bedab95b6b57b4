"""Sentences about the faults of bots, in the language in use: what is wrong, and what to do."""

from app.models import BotFaultKind
from app.translations import gettext


def describe(kind: BotFaultKind, *, bot: str, title: str = "", gave_up: bool = False) -> str:
    """Say what is wrong with the bot of the username `bot`, and what its owner should do.

    `title` is the chat it is about. `gave_up`: its webhook is not set again any more.
    """
    match kind:
        case BotFaultKind.TOKEN:
            return gettext(
                "Telegram refuses the token of @%(bot)s. Connect the bot again with a new one.",
                bot=bot,
            )
        case BotFaultKind.WEBHOOK:
            return _lost_webhook(bot, gave_up=gave_up)
        case BotFaultKind.POLLING:
            return gettext(
                "Another program reads the updates of @%(bot)s, and what it reads is lost here. "
                "Stop it; if it has set a webhook, connect the bot again afterwards.",
                bot=bot,
            )
        case BotFaultKind.RIGHTS:
            return gettext(
                "@%(bot)s is no administrator of %(title)s any more. "
                "Until it is one again, nobody who comes or goes there is seen.",
                bot=bot,
                title=title,
            )
        case BotFaultKind.INVITE:
            return gettext(
                "@%(bot)s may not invite users to %(title)s. "
                "Until it has this right, requests to join are not seen.",
                bot=bot,
                title=title,
            )


def _lost_webhook(bot: str, *, gave_up: bool) -> str:
    if gave_up:
        return gettext(
            "Another program keeps taking the webhook of @%(bot)s. We have set it again "
            "several times and leave it alone now; nothing is seen. Stop the other program, "
            "then connect the bot again.",
            bot=bot,
        )
    return gettext(
        "Another program has taken the webhook of @%(bot)s; we set it again. "
        "Stop the other program: a bot can report to one only.",
        bot=bot,
    )


def describe_end(kind: BotFaultKind, *, bot: str, title: str = "") -> str:
    """Say that a fault of the bot is over."""
    match kind:
        case BotFaultKind.TOKEN:
            return gettext("Telegram accepts the token of @%(bot)s again.", bot=bot)
        case BotFaultKind.WEBHOOK:
            return gettext("The webhook of @%(bot)s is ours again.", bot=bot)
        case BotFaultKind.POLLING:
            return gettext("No other program reads the updates of @%(bot)s any more.", bot=bot)
        case BotFaultKind.RIGHTS:
            return gettext("@%(bot)s is an administrator of %(title)s again.", bot=bot, title=title)
        case BotFaultKind.INVITE:
            return gettext("@%(bot)s may invite users to %(title)s again.", bot=bot, title=title)
