"""Statements over many requests that an update changes. None of them returns rows."""

from functools import cache
from typing import Any, Final

from sqlalchemy import Double, and_, bindparam, case, exists, func, or_, update

from app.database.rows import rows_table
from app.domain.join_requests.rules import Verdict
from app.models import DecidedBy, JoinRequest, RequestRule, RequestState, table_of
from app.models.base import Big

_REQUESTS: Final = table_of(JoinRequest)
_RULES: Final = table_of(RequestRule)
#: States of a request that a join ends: it was not declined, and not ended by a join before.
_LIVE: Final = (
    RequestState.WAITING,
    RequestState.SCHEDULED,
    RequestState.SENDING,
    RequestState.APPROVED,
    RequestState.GONE,
    RequestState.FAILED,
)
_HOPEFUL: Final = (
    RequestState.WAITING,
    RequestState.SCHEDULED,
    RequestState.SENDING,
    RequestState.APPROVED,
    RequestState.JOINED,
)
ASKED_AGAIN: Final = "asked again"
OTHER_ADMIN: Final = "let in by another administrator"
_NOW: Final[Any] = bindparam("now", type_=Double())


@cache
def asking_again(postgresql: bool) -> Any:
    """Close the open requests of people (chat c, subscriber s) from before they asked at a."""
    data = rows_table(postgresql, {"c": Big, "s": Big, "a": Big})
    row = _REQUESTS.c
    is_open = row.state.in_([RequestState.WAITING, RequestState.SCHEDULED, RequestState.SENDING])
    return (
        update(_REQUESTS)
        .where(row.chat_id == data.c.c, row.subscriber == data.c.s, row.asked < data.c.a, is_open)
        .where(row.decided.is_(None))
        .values(
            state=int(RequestState.GONE), reason=ASKED_AGAIN, decided=_NOW, due=None, lease=None
        )
    )


@cache
def joining(postgresql: bool) -> Any:
    """Note that people (chat c, subscriber s) have joined at d: somebody let them in.

    It ends the last request of each. One of which we told Telegram and have no answer yet is
    left SENDING, over at once: the desk's next claim ends it, and notes in the journal that it
    was ours. Whoever made the call finds its lease gone.
    """
    data = rows_table(postgresql, {"c": Big, "s": Big, "d": Big})
    row, later = _REQUESTS.c, _REQUESTS.alias()
    is_decided = row.decided_by.in_([DecidedBy.RULE, DecidedBy.PERSON])
    ours = and_(row.tries > 0, is_decided, row.state != RequestState.FAILED)
    untold = and_(ours, row.action == Verdict.APPROVE, row.state != RequestState.APPROVED)
    is_ours = or_(row.state == RequestState.APPROVED, ours)
    asked_later = exists().where(
        later.c.chat_id == row.chat_id,
        later.c.subscriber == row.subscriber,
        later.c.asked > row.asked,
        later.c.asked <= data.c.d,
    )
    return (
        update(_REQUESTS)
        .where(row.chat_id == data.c.c, row.subscriber == data.c.s, row.asked <= data.c.d)
        .where(row.state.in_(_LIVE), row.reason != ASKED_AGAIN, ~asked_later)
        .values(
            state=case((untold, int(RequestState.SENDING)), else_=int(RequestState.JOINED)),
            decided_by=case((is_ours, row.decided_by), else_=int(DecidedBy.OTHER_ADMIN)),
            decided=func.coalesce(row.decided, data.c.d + 0.0),
            reason=case((is_ours, row.reason), else_=OTHER_ADMIN),
            due=case((untold, 0.0)),
            lease=None,
        )
    )


@cache
def starting(postgresql: bool) -> Any:
    """Give the requests of people (account a, campaign c, subscriber s) the lead l they became.

    With it go source r, click k and way w by which they came. What had a lead keeps it, and
    what came to nothing is left alone.
    """
    data = rows_table(postgresql, dict.fromkeys("acslrkw", Big))
    row = _REQUESTS.c
    return (
        update(_REQUESTS)
        .where(row.account_id == data.c.a, row.subscriber == data.c.s)
        .where(row.campaign_id == data.c.c, row.lead_id.is_(None), row.state.in_(_HOPEFUL))
        .values(lead_id=data.c.l, source_id=data.c.r, click_id=data.c.k, came=data.c.w)
    )


@cache
def answering(postgresql: bool) -> Any:
    """Approve people (campaign c, subscriber s) who were asked whether they are human."""
    data = rows_table(postgresql, {"c": Big, "s": Big})
    row = _REQUESTS.c
    is_open = row.state.in_([RequestState.WAITING, RequestState.SCHEDULED])
    return (
        update(_REQUESTS)
        .where(row.campaign_id == data.c.c, row.subscriber == data.c.s, row.asks, is_open)
        .values(
            state=int(RequestState.SCHEDULED), action=int(Verdict.APPROVE), asks=False,
            decided_by=int(DecidedBy.RULE), due=_NOW, reason="answered",
        )
    )  # fmt: skip


@cache
def counting_hits(postgresql: bool) -> Any:
    """Add rows (rule, hits) to the rules' counts."""
    data = rows_table(postgresql, {"rule": Big, "hits": Big})
    return update(_RULES).where(_RULES.c.id == data.c.rule).values(hits=_RULES.c.hits + data.c.hits)
