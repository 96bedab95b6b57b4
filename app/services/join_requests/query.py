"""Queries of requests: a list with filters, one of them, and how many there are in each state."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Text, func, literal, select, type_coerce, union_all

from app.crypto import cipher
from app.domain.time_ranges import DAY
from app.errors import NotFound
from app.extensions import db
from app.models import JoinRequest, Lead, RequestRule, RequestState
from app.services.lists import parts
from app.services.lists.ownership import check_owned
from app.services.lists.pages import Page
from app.services.lists.parts import SortKey

#: The bio as it is stored, so that one that cannot be read is like none.
SEALED_BIO: Final = type_coerce(JoinRequest.bio, Text)
#: A list counts no further.
COUNTED: Final = 10_000
#: Requests of one lead in an answer.
OF_LEAD: Final = 50
#: Telegram tells of a join within seconds of the approval.
JOIN_SECONDS: Final = 60


class RequestDetail(NamedTuple):
    """A request, and what the person says of themselves."""

    request: JoinRequest
    bio: str


class LeadRequest(NamedTuple):
    """A request of a lead, and where the rule that decided it stands: 0 without one."""

    request: JoinRequest
    position: int

    @property
    def delay(self) -> int:
        """How many seconds after the request it was decided, or is to be; 0 while neither."""
        at = self.request.due if self.request.decided is None else self.request.decided
        return max(0, int((at or 0) - self.request.asked))


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


def read_all(
    account_id: int, *, after: SortKey | None = None, **filters: Any
) -> Iterator[Sequence[JoinRequest]]:
    """All requests of `conditions`, newest first, by the thousand. Raises NotFound.

    With `after` those behind that place.
    """
    matching = select(JoinRequest).where(*conditions(account_id, **filters))
    return parts.newest_first(matching, JoinRequest.id, after)


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


def of_lead(lead: Lead) -> list[LeadRequest]:
    """The last requests of a lead's person in its campaign, oldest first."""
    rows = db.session.execute(
        select(JoinRequest, func.coalesce(RequestRule.position, 0))
        .outerjoin(RequestRule, RequestRule.id == JoinRequest.rule_id)
        .where(JoinRequest.account_id == lead.account_id, JoinRequest.subscriber > 0)
        .where(JoinRequest.subscriber == lead.subscriber)
        .where(JoinRequest.campaign_id == lead.campaign_id)
        .order_by(JoinRequest.id.desc())
        .limit(OF_LEAD)
    ).all()
    return [LeadRequest(*row) for row in reversed(rows)]


def let_in_but_outside(account_id: int, now: float) -> int:
    """How many people were let in within the last day, a minute ago or more, and did not join.

    Counts up to `COUNTED`.
    """
    outside = (
        select(JoinRequest.id)
        .where(JoinRequest.account_id == account_id, JoinRequest.state == RequestState.APPROVED)
        .where(JoinRequest.decided.between(now - DAY, now - JOIN_SECONDS))
        .limit(COUNTED)
        .subquery()
    )
    return db.session.scalar(select(func.count()).select_from(outside)) or 0


def counts(account_id: int, campaign: int | None = None) -> Mapping[int, int]:
    """How many requests there are in each state, each counted up to `COUNTED`. Raises NotFound."""
    mine = conditions(account_id, campaign=campaign)
    counted = union_all(*(_counting(mine, state) for state in RequestState))
    return {int(state): int(number) for state, number in db.session.execute(counted)}


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


def _counting(mine: Sequence[ColumnElement[bool]], state: RequestState) -> Any:
    some = select(JoinRequest.id).where(*mine, JoinRequest.state == state).limit(COUNTED).subquery()
    return select(literal(int(state)), func.count()).select_from(some)


def readable(sealed: str | None) -> str:
    """A stored bio as it was written, "" if there is none or it cannot be read."""
    return cipher.decrypt_or_none(sealed) or ""
