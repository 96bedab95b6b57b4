"""Accounts for people who open the service bot for the first time."""

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.crypto import hash_secret, new_secret
from app.domain.tariffs import FREE
from app.domain.telegram.person import Person
from app.extensions import db
from app.models import Account


def account_for(person: Person, now: int) -> Account:
    """Return the person's account, or create one on the free plan. No commit."""
    for login in _logins(person):
        account = db.session.scalar(select(Account).where(Account.tg_id == person.id))
        if account is not None:
            return account
        account = Account(
            login=login,
            name=name_of(person),
            lang=language_of(person),
            key_hash=hash_secret(new_secret()),  # profile/apikey gives the first key
            tariff=FREE,
            tg_id=person.id,
            created=now,
        )
        try:
            with db.session.begin_nested():
                db.session.add(account)
        except IntegrityError:  # the login is taken: a username proves nothing
            continue
        return account
    raise RuntimeError("no free login was found")


def language_of(person: Person) -> str:
    """Return the language for a person without an account: Russian or English."""
    return "ru" if person.language.lower().partition("-")[0] == "ru" else "en"


def _logins(person: Person) -> Iterator[str]:
    if person.username:
        yield person.username
    yield f"tg{person.id}"
    for _ in range(3):
        yield f"tg{person.id}-{new_secret(4)}"


def name_of(person: Person) -> str:
    """Return the name of a new account for the person."""
    full = f"{person.first_name} {person.last_name}"
    printable = "".join(letter for letter in full if letter.isprintable()).strip()
    return printable[:128] or person.username or f"tg{person.id}"
