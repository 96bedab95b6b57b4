"""Logins by Telegram: a page shows a link, a person opens it and agrees.

A page makes a nonce, or gets one of `start`, and shows `t.me/<service bot>?start=login-<nonce>`.
It polls with the nonce: the first poll says which browser shows the page. When a person opens
the link, the bot asks them about that browser, and only after their "Yes" a poll from the same
browser gets a session token, once. To everybody else, and for a nonce that is unknown, expired,
used or undone, the login stays pending.

The same browser is one that brings the cookie of its first poll. A client that keeps no cookies
is recognised by its address and its User-Agent.
"""

import hmac
import re
import time
from typing import Final, NamedTuple

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app.crypto import hash_secret, new_secret
from app.domain.storable_text import sanitize
from app.errors import NotFound, translatable
from app.extensions import db
from app.models import Account, Bot, Login
from app.services.accounts.rate_limits import Limit
from app.services.service_bot import ALLOW, UNDO, bot, sessions
from app.services.service_bot.browsers import browser_name
from app.services.service_bot.sessions import OpenedBy, Opening
from app.translations import gettext, use_language
from app.web.shares.addresses import network_of

#: `login-<nonce>` must fit the 64 characters that Telegram carries.
NONCE: Final = r"[A-Za-z0-9_-]{16,58}"
COOKIE: Final = re.compile(r"[A-Za-z0-9_-]{32,64}", re.ASCII)
#: How long a page may show its link before a person opens it.
SHOWN_SECONDS: Final = 3600.0
#: How long a person has to agree, and then the page to fetch the token.
LOGIN_SECONDS: Final = 600.0

#: By address. A dashboard polls every second or two; an office shares one address.
POLLS: Final = Limit("auth-poll", per_minute=120, burst=120)
#: Nonces that were not known before, by address: each is a row.
NEW_LOGINS: Final = Limit("auth-new", per_minute=30, burst=60)


class Browser(NamedTuple):
    """Who polls: the address, the User-Agent, and the value of our cookie or ""."""

    address: str
    agent: str
    cookie: str


class StartedLogin(NamedTuple):
    """A login that a page is to show. `text` is what the bot will say of the page."""

    nonce: str
    link: str
    text: str
    cookie: str


class PollResult(NamedTuple):
    """The session token, if there is one, and the cookie to set, if it is to be set."""

    token: str | None = None
    cookie: str | None = None


def start(browser: Browser, lang: str) -> StartedLogin:
    """Make a nonce for a page that this browser shows in the language `lang`. Commits.

    Raises TooManyRequests by address, or NotFound without a service bot.
    """
    ours = bot.find()
    if ours is None:
        raise NotFound(translatable("this installation has no service bot to log in with"))
    nonce = new_secret()
    login, cookie = _show(nonce, browser, time.time())
    with use_language(lang):
        text = describe(login)
    db.session.commit()
    return StartedLogin(nonce, _link(ours, nonce), text, cookie or browser.cookie)


def shown_to(nonce: str, browser: Browser) -> StartedLogin | None:
    """Return what the page of a login shows, in the language in use, to its own browser.

    None for every other browser, and when the login is used, undone or expired.
    """
    login, ours = _find(nonce), bot.find()
    db.session.commit()
    if ours is None or login is None or not _is_shown_by(login, browser):
        return None
    if login.used is not None or login.expires <= time.time():
        return None
    return StartedLogin(nonce, _link(ours, nonce), describe(login), browser.cookie)


def poll(nonce: str, browser: Browser) -> PollResult:
    """Return the session token once a person has agreed. Raises TooManyRequests by address."""
    POLLS.hit(network_of(browser.address))
    return redeem(nonce, browser, time.time())


def redeem(nonce: str, browser: Browser, now: float) -> PollResult:
    """Exchange a nonce whose login was agreed to for a session token, once. Commits."""
    login = _find(nonce)
    if login is None or login.shown is None:
        login, cookie = _show(nonce, browser, now)
        _ask_who_waits(login, now)
        db.session.commit()
        return PollResult(cookie=cookie)
    if not _is_shown_by(login, browser):
        db.session.rollback()
        return PollResult()
    if browser.cookie and not login.cookie_seen:
        login.cookie_seen = True
    token = None if login.agreed is None else _token(login.id, now)  # who only asks writes nothing
    db.session.commit()
    return PollResult(token)


def link_opened(nonce: str, account_id: int, now: float) -> Login | None:
    """Note that the person behind `account_id` has opened the link of a nonce. No commit.

    Returns the login; None for a link that is used, expired or undone, that another
    person has opened, or that is no link of ours.
    """
    if not re.fullmatch(NONCE, nonce, re.ASCII):
        return None
    until = now + LOGIN_SECONDS
    login = _find(nonce) or _insert(Login(nonce_hash=hash_secret(nonce), expires=until))
    opened = db.session.execute(
        update(Login)
        .where(Login.id == login.id, Login.expires > now)
        .where(Login.used.is_(None), Login.agreed.is_(None))
        .where(Login.account_id.is_(None) | (Login.account_id == account_id))
        .values(account_id=account_id, expires=until)
        .returning(Login.id)
    ).first()
    return db.session.get(Login, login.id, populate_existing=True) if opened else None


def ask(ours: Bot, login: Login, account: Account, now: float) -> None:
    """Ask the person behind an account whether the page may log in. No commit."""
    with use_language(account.lang):
        text = gettext(
            "Log in as %(name)s? %(page)s\n\n"
            "Press Yes only if you opened that page yourself just now: "
            "whoever opened it gets your whole account.",
            name=account.name,
            page=describe(login),
        )
        buttons = [
            {"text": gettext("Yes, log in"), "callback_data": f"{ALLOW}:{login.id}"},
            {"text": gettext("It was not me"), "callback_data": f"{UNDO}:{login.id}"},
        ]
    bot.say(ours, account.tg_id or 0, text, now, account_id=account.id, buttons=buttons)


def describe(login: Login) -> str:
    """Say in the language in use where and when the page of a login was opened."""
    return describe_page(login.agent, login.address, login.shown or 0.0)


def describe_page(agent: str, address: str, shown: float) -> str:
    """Say in the language in use by which browser and from where a page was opened, and when."""
    return gettext(
        "The login page was opened with %(browser)s from the address %(address)s at %(time)s UTC.",
        **page_values(agent, address, shown),
    )


def page_values(agent: str, address: str, shown: float) -> dict[str, str]:
    """Return in the language in use what sentences about a page are filled with."""
    name = browser_name(agent)
    browser = name.browser or gettext("an unknown program")
    if name.system:
        browser = gettext("%(browser)s on %(system)s", browser=browser, system=name.system)
    minute = time.strftime("%Y-%m-%d %H:%M", time.gmtime(shown))
    return {"browser": browser, "address": address, "time": minute}


def agree(login_id: int, account_id: int, now: float) -> bool:
    """Let the page of a login have its session. False if it is too late. No commit."""
    agreed = db.session.execute(
        update(Login)
        .where(Login.id == login_id, Login.account_id == account_id, Login.used.is_(None))
        .where(Login.shown.is_not(None), Login.expires > now)
        .values(agreed=now, expires=now + LOGIN_SECONDS)
        .returning(Login.id)
    ).first()
    return agreed is not None


def _link(ours: Bot, nonce: str) -> str:
    return f"https://t.me/{ours.username}?start=login-{nonce}"


def _find(nonce: str) -> Login | None:
    return db.session.scalar(select(Login).where(Login.nonce_hash == hash_secret(nonce)))


def _insert(login: Login) -> Login:
    """Store a login, or return the one that was stored a moment before. No commit."""
    try:
        with db.session.begin_nested():
            db.session.add(login)
    except IntegrityError:
        stored = select(Login).where(Login.nonce_hash == login.nonce_hash)
        return db.session.scalars(stored).one()
    return login


def _show(nonce: str, browser: Browser, now: float) -> tuple[Login, str | None]:
    """Note which browser shows the link of a nonce, unless that is known. No commit.

    Returns the login, and the cookie to set for a browser without one. Raises
    TooManyRequests by address.
    """
    NEW_LOGINS.hit(network_of(browser.address))
    login = _find(nonce) or _insert(
        Login(nonce_hash=hash_secret(nonce), expires=now + SHOWN_SECONDS)
    )
    cookie = browser.cookie or new_secret(32)
    shown = db.session.execute(
        update(Login)
        .where(Login.id == login.id, Login.shown.is_(None))
        .values(
            shown=now,
            address=browser.address[:45],
            agent=_agent(browser),
            cookie_hash=hash_secret(cookie),
            cookie_seen=bool(browser.cookie),
        )
        .returning(Login.id)
    ).first()
    login = db.session.get_one(Login, login.id, populate_existing=True)
    return login, cookie if shown and not browser.cookie else None


def _ask_who_waits(login: Login, now: float) -> None:
    """Ask the person who opened the link before the page had polled, if there is one."""
    if login.account_id is None or login.used is not None or login.expires <= now:
        return
    ours = bot.find()
    if ours is not None:
        ask(ours, login, db.session.get_one(Account, login.account_id), now)


def _is_shown_by(login: Login, browser: Browser) -> bool:
    """Whether it is this browser that shows the link of a login."""
    if browser.cookie:
        return hmac.compare_digest(hash_secret(browser.cookie), login.cookie_hash)
    here = (browser.address[:45], _agent(browser))
    return not login.cookie_seen and here == (login.address, login.agent)


def _agent(browser: Browser) -> str:
    return sanitize(browser.agent, 300)


def _token(login_id: int, now: float) -> str | None:
    redeemed = db.session.execute(
        update(Login)
        .where(Login.id == login_id, Login.expires > now)
        .where(Login.used.is_(None), Login.agreed.is_not(None))
        .values(used=now)
        .returning(Login.account_id, Login.agent, Login.address, Login.shown)
    ).first()
    if redeemed is None:
        return None
    opening = Opening(OpenedBy.TELEGRAM, redeemed.agent, redeemed.address, redeemed.shown)
    return sessions.begin(redeemed.account_id, login_id, opening, now)
