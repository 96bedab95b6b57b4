"""Statements over many requests that an update changes. None of them returns rows."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from sqlalchemy import Double, bindparam, case, func, or_, update

from app.database.rows import rows_table
from app.domain.join_requests.rules import Verdict
from app.models import DecidedBy, JoinRequest, RequestRule, RequestState, table_of
from app.models.base import Big

_REQUESTS: Final = table_of(JoinRequest)
_RULES: Final = table_of(RequestRule)
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
        .values(
            state=int(RequestState.GONE), reason=ASKED_AGAIN, decided=_NOW, due=None, lease=None
        )
    )


@cache
def joining(postgresql: bool) -> Any:
    """Note that people (chat c, subscriber s) have joined at d: somebody let them in."""
    data = rows_table(postgresql, {"c": Big, "s": Big, "d": Big})
    row = _REQUESTS.c
    ours = or_(row.state == RequestState.APPROVED, row.tries > 0)
    is_live = row.state.in_(
        [
            RequestState.WAITING,
            RequestState.SCHEDULED,
            RequestState.SENDING,
            RequestState.APPROVED,
            RequestState.GONE,
        ]
    )
    return (
        update(_REQUESTS)
        .where(row.chat_id == data.c.c, row.subscriber == data.c.s, row.asked <= data.c.d)
        .where(is_live, row.reason != ASKED_AGAIN)
        .values(
            state=int(RequestState.JOINED),
            decided_by=case((ours, row.decided_by), else_=int(DecidedBy.OTHER_ADMIN)),
            decided=func.coalesce(row.decided, data.c.d + 0.0),
            reason=case((ours, row.reason), else_=OTHER_ADMIN),
            due=None,
            lease=None,
        )
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
