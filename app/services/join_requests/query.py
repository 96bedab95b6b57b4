"""Queries of requests: a list with filters, one of them, and how many there are in each state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Select, Text, func, select, type_coerce

from app.crypto import CannotDecrypt, cipher
from app.errors import NotFound
from app.extensions import db
from app.models import JoinRequest, RequestState
from app.services.lists.ownership import check_owned
from app.services.lists.pages import Page

#: The bio as it is stored, so that one that cannot be read is like none.
SEALED_BIO: Final = type_coerce(JoinRequest.bio, Text)
#: A list counts no further.
COUNTED: Final = 10_000


class RequestDetail(NamedTuple):
    """A request, and what the person says of themselves."""

    request: JoinRequest
    bio: str


def listed(
    account_id: int, *, limit: int = 50, offset: int = 0, before: int | None = None, **filters: Any
) -> Page[JoinRequest]:
    """Requests newest first; see `conditions` for `filters`. Counts up to `COUNTED`.

    `before` is the last id of the page before. Raises NotFound.
    """
    matching = select(JoinRequest).where(*conditions(account_id, **filters))
    counted = matching.with_only_columns(JoinRequest.id).limit(COUNTED).subquery()
    total = db.session.scalar(select(func.count()).select_from(counted))
    if before is not None:
        matching = matching.where(JoinRequest.id < before)
    newest = matching.order_by(JoinRequest.id.desc())
    return Page(db.session.scalars(newest.limit(limit).offset(offset)).all(), total or 0)


def find(account_id: int, request_id: int) -> RequestDetail:
    """One request with its bio, "" if that cannot be read any more. Raises NotFound."""
    row = db.session.execute(
        select(JoinRequest, SEALED_BIO).where(
            JoinRequest.id == request_id, JoinRequest.account_id == account_id
        )
    ).first()
    if row is None:
        raise NotFound
    return RequestDetail(row[0], readable(row[1]))


def counts(account_id: int, campaign: int | None = None) -> Mapping[int, int]:
    """How many requests there are in each state, each counted up to `COUNTED`."""
    return {
        int(state): db.session.scalar(_counting(account_id, campaign, state)) or 0
        for state in RequestState
    }


def conditions(
    account_id: int,
    *,
    state: int | None = None,
    states: Sequence[int] | None = None,
    campaign: int | None = None,
    source: int | None = None,
    how: int | None = None,
    premium: bool | None = None,
    language: str | None = None,
    since: int | None = None,
    until: int | None = None,
) -> Sequence[ColumnElement[bool]]:
    """The conditions of filters. `since` and `until` are of `asked` and count in.

    Raises NotFound for a campaign or a source of others.
    """
    check_owned(account_id, campaign=campaign, source=source)
    chosen = [
        (state, JoinRequest.state == state),
        (states, JoinRequest.state.in_(states or ())),
        (campaign, JoinRequest.campaign_id == campaign),
        (source, JoinRequest.source_id == source),
        (how, JoinRequest.came == how),
        (premium, JoinRequest.premium == premium),
        (language, JoinRequest.language == language),
        (since, JoinRequest.asked >= (since or 0)),
        (until, JoinRequest.asked <= (until or 0)),
    ]
    filtering = [condition for value, condition in chosen if value is not None]
    return [JoinRequest.account_id == account_id, *filtering]


def _counting(account_id: int, campaign: int | None, state: int) -> Select[int]:
    where = conditions(account_id, campaign=campaign, state=state)
    some = select(JoinRequest.id).where(*where).limit(COUNTED).subquery()
    return select(func.count()).select_from(some)


def readable(sealed: str | None) -> str:
    """A stored bio as it was written, "" if there is none or it cannot be read."""
    try:
        return cipher.decrypt(sealed) if sealed else ""
    except CannotDecrypt:
        return ""
