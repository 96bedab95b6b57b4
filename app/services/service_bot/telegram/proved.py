"""Logins in which Telegram itself says who the person is: no link, and no question by the bot."""

from typing import Final

from sqlalchemy.exc import IntegrityError

from app.crypto import hash_secret
from app.domain.storable_text import sanitize
from app.domain.telegram.person import Person
from app.errors import BadParameter, translatable
from app.extensions import db
from app.models import Login
from app.services.service_bot import logins, sessions, signup
from app.services.service_bot.logins import Browser
from app.services.service_bot.sessions import OpenedBy, Opening
from app.web.shares.addresses import network_of

#: No nonce of a login page holds a colon, so no page can ever show or redeem a proof.
_PREFIX: Final = "proof:"


def open_session(person: Person, proof: str, browser: Browser, now: float) -> str:
    """Return the token of a new session of the person whom `proof` has named, once. Commits.

    Whoever comes first gets an account. The login can be undone as every other. Raises
    BadParameter for a proof that was used before, or TooManyRequests by address.
    """
    logins.NEW_LOGINS.hit(network_of(browser.address))
    account = signup.account_for(person, int(now))
    login = Login(
        nonce_hash=hash_secret(_PREFIX + proof),
        account_id=account.id,
        shown=now,
        address=browser.address[:45],
        agent=sanitize(browser.agent, 300),
        agreed=now,
        used=now,
        expires=now + logins.LOGIN_SECONDS,
    )
    db.session.add(login)
    try:
        db.session.flush()
    except IntegrityError as error:
        db.session.rollback()
        raise BadParameter(
            "login", translatable("this login was used before; begin a new one")
        ) from error
    opening = Opening(OpenedBy.TELEGRAM, login.agent, login.address, now)
    token = sessions.begin(account.id, login.id, opening, now)
    db.session.commit()
    return token
