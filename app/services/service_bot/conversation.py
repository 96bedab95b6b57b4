"""What people say to the service bot: they open it, and press its buttons."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from sqlalchemy import select

from app.config import current_settings
from app.domain.telegram.updates import ButtonPressed, LeadEvent
from app.errors import NotFound
from app.extensions import db
from app.models import Account, Bot, Campaign
from app.services.campaigns import transfer
from app.services.join_requests import answered
from app.services.join_requests.owner import decisions
from app.services.messages.callbacks import CALLBACK_ANSWERS
from app.services.service_bot import ALLOW, APPROVE, KEEP, MUTE, UNDO, bot, logins, signup, undo
from app.translations import gettext, ngettext, use_language

#: `?start=login-<nonce>`; no campaign has this code.
LOGIN: Final = "login"


def on_start(starts: Sequence[tuple[int, LeadEvent]], now: float) -> list[bool]:
    """Answer people who opened bots, by id, without naming a campaign. No commit.

    Returns for each whether it was the service bot; only then it was answered.
    """
    ours = bot.find() if starts else None
    is_ours = [ours is not None and ours.id == bot_id for bot_id, _ in starts]
    if ours is not None:
        for is_our, (_, start) in zip(is_ours, starts, strict=True):
            if is_our:
                _answer(ours, start, now)
    return is_ours


def on_callback(bot_id: int, press: ButtonPressed, now: float) -> None:
    """Do what a button says. `CALLBACK_ANSWERS` sends the answer after the commit."""
    ours = bot.find()
    if ours is None or ours.id != bot_id:
        answered.pressed(bot_id, press, now)
        return
    account = db.session.scalar(select(Account).where(Account.tg_id == press.person.id))
    with use_language(account.lang if account else signup.language_of(press.person)):
        text = _do(press, account, now) or gettext("This button no longer works.")
    CALLBACK_ANSWERS.answer_button(
        current_settings().telegram_api_url, ours.token, press.query, text
    )


def _answer(ours: Bot, start: LeadEvent, now: float) -> None:
    if bot.has_said_much(ours, start.person.id, now):
        return  # each answer is a row and a call, and so may be a login
    if start.code == LOGIN:
        _answer_login(ours, start, now)
        return
    with use_language(signup.language_of(start.person)):
        hello = gettext(
            "I open the dashboard for you and tell you about your campaigns. "
            "To log in, follow the link that the dashboard shows."
        )
        buttons = _app_button()
    bot.say(ours, start.person.id, hello, now, buttons=buttons)


def _app_button() -> list[bot.Button]:
    """The dashboard as a Mini App, which Telegram opens at https only."""
    url = current_settings().public_url
    if not url.startswith("https:"):
        return []
    return [{"text": gettext("Open the dashboard"), "web_app": {"url": f"{url}/login"}}]


def _answer_login(ours: Bot, start: LeadEvent, now: float) -> None:
    """Ask the person about the login, or say what stands in its way."""
    account = signup.account_for(start.person, int(now))
    login = logins.link_opened(start.click, account.id, now)
    if login is not None and login.shown is not None:
        logins.ask(ours, login, account, now)
        return
    with use_language(account.lang):
        if login is None:
            text = gettext("This login link was used before or is broken. Ask for a new one.")
        else:
            text = gettext(
                "Go back to the page that sent you here. "
                "As soon as it asks for you, I ask you whether it may log in."
            )
    bot.say(ours, start.person.id, text, now, account_id=account.id)


def _do(press: ButtonPressed, account: Account | None, now: float) -> str:
    verb, _, digits = press.data.partition(":")
    if account is None or not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
        return ""
    doing = _VERBS.get(verb)
    return doing(account, int(digits), now) if doing else ""


def _allow(account: Account, login_id: int, now: float) -> str:
    if not logins.agree(login_id, account.id, now):
        return ""
    return gettext("Go back to the page: it logs in now.")


def _undo(account: Account, login_id: int, now: float) -> str:
    if not undo.undo(login_id, account.id, now):
        return ""
    return gettext(
        "That login is undone: its session is over, and so is all that it made or gave away."
    )


def _keep(account: Account, transfer_id: int, now: float) -> str:
    if not transfer.call_off(account.id, transfer_id, now):
        return ""
    return gettext("It stays with you.")


def _approve(account: Account, campaign_id: int, now: float) -> str:
    try:
        count = decisions.approve_waiting(account.id, campaign_id, now)
    except NotFound:
        return ""
    return ngettext("%(num)d request is let in.", "%(num)d requests are let in.", count)


def _mute(account: Account, campaign_id: int, _now: float) -> str:
    campaign = db.session.scalar(
        select(Campaign)
        .where(Campaign.id == campaign_id, Campaign.account_id == account.id)
        .where(Campaign.living)
    )
    if campaign is None:
        return ""
    campaign.notify_level = 0
    return gettext("No more messages about %(title)s.", title=campaign.chat_title[:100])


#: What each button does, with the id that it is about. Returns "" if it no longer works.
_VERBS: Final[Mapping[str, Callable[[Account, int, float], str]]] = {
    MUTE: _mute,
    ALLOW: _allow,
    UNDO: _undo,
    APPROVE: _approve,
    KEEP: _keep,
}
