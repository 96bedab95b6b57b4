"""The blocklist of an account: whom no desk of it lets in by itself."""

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import delete, func, select

from app.crypto import cipher
from app.database.rows import insert_rows
from app.domain.join_requests import blocklist as texts
from app.domain.join_requests.blocklist import BlockedPerson
from app.errors import BadParameter, NotFound, PlanLimit, translatable
from app.extensions import db
from app.models import Blocked, table_of
from app.services.accounts import accounts
from app.services.lists import pages, parts
from app.services.lists.pages import Page

MOST: Final = 50_000
_COLUMNS: Final = ("account_id", "subscriber", "person", "username", "reason", "created")


def listed(
    account_id: int, *, limit: int = 50, offset: int = 0, before: int | None = None
) -> Page[Blocked]:
    """Blocked people, newest first."""
    own = select(Blocked).where(Blocked.account_id == account_id)
    return pages.fetch(own, Blocked.id, limit=limit, offset=offset, before=before)


def read_all(account_id: int) -> Iterator[Sequence[Blocked]]:
    """All of them, newest first, by the thousand. Each part is a short transaction."""
    own = select(Blocked).where(Blocked.account_id == account_id)
    return parts.newest_first(own, Blocked.id)


def add(account_id: int, person: str, reason: str = "") -> int:
    """Block a person by id or username. Commits. Returns 0 if they were blocked already.

    Raises BadParameter or PlanLimit.
    """
    try:
        blocked = texts.read_person(person.strip(), reason=reason)
    except ValueError as error:
        raise BadParameter("person", str(error)) from None
    return _insert(account_id, [blocked])


def add_all(account_id: int, text: str) -> int:
    """Block all of a list; see `domain.join_requests.blocklist.parse`. Commits.

    Returns how many were not blocked yet. Raises BadParameter or PlanLimit.
    """
    try:
        people = texts.parse(text)
    except ValueError as error:
        raise BadParameter("csv", str(error)) from None
    return _insert(account_id, people)


def remove(account_id: int, blocked_id: int) -> None:
    """Block a person no longer. Commits. Raises NotFound."""
    own = (Blocked.id == blocked_id, Blocked.account_id == account_id)
    if db.session.scalar(delete(Blocked).where(*own).returning(Blocked.id)) is None:
        raise NotFound
    db.session.commit()


def _insert(account_id: int, people: Sequence[BlockedPerson]) -> int:
    accounts.lock(account_id)
    own = select(func.count()).where(Blocked.account_id == account_id)
    if (db.session.scalar(own) or 0) + len(people) > MOST:
        raise PlanLimit(translatable("an account blocks at most %(most)d people", most=MOST))
    now = int(time.time())
    rows = [
        (
            account_id,
            person.subscriber,
            None
            if person.subscriber is None
            else cipher.person_hash(account_id, person.subscriber),
            person.username,
            person.reason,
            now,
        )
        for person in _unknown(account_id, people)
    ]
    connection = db.session.connection()
    inserted = insert_rows(
        connection, table_of(Blocked), _COLUMNS, rows, returning=["id"], ignore_conflicts=True
    )
    db.session.commit()
    return len(inserted)


def _unknown(account_id: int, people: Sequence[BlockedPerson]) -> list[BlockedPerson]:
    """What of each is not blocked yet: the id of who is blocked by name only, or the name."""
    hashes = {
        person.subscriber: cipher.person_hash(account_id, person.subscriber)
        for person in people
        if person.subscriber is not None
    }
    ids = _there(account_id, Blocked.person, hashes.values())
    names = _there(account_id, Blocked.username, {p.username for p in people if p.username})
    unknown = []
    for person in people:
        subscriber, username = person.subscriber, person.username
        if subscriber is not None and hashes[subscriber] in ids:
            subscriber = None
        if username in names:
            username = None
        if subscriber is None and username is None:
            continue
        unknown.append(person._replace(subscriber=subscriber, username=username))
        ids |= {hashes[subscriber]} if subscriber is not None else set()
        names |= {username} if username is not None else set()
    return unknown


def _there(account_id: int, column: Any, values: Iterable[str]) -> set[str]:
    """Those of `values` that a column of the account's entries has."""
    own = select(column).where(Blocked.account_id == account_id, column.in_(list(values)))
    return set(db.session.scalars(own))
