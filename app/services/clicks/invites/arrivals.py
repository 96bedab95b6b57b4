"""People who come by our invite links: the click or the source behind each link.

Nothing here commits. The links of a batch are read by one statement, and what
became of them is written by another.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, bindparam, select

from app.database.rows import update_rows
from app.domain.attribution import How, Touch, is_in_time
from app.domain.telegram.updates import LeadEvent, LeadEventKind
from app.models import Click, Invite, InviteKind, InviteState, Lead, Source, SourceMode, table_of

#: A link is revoked so long after its person came: Telegram may still be letting them in.
REVOKED_AFTER: Final = 5.0

_INVITES: Final = table_of(Invite)
_SOURCES: Final = table_of(Source)
_CLICKS: Final = table_of(Click)
_LEADS: Final = table_of(Lead)
_OWN: Final = "id bot_id link_key kind state used_by used uses due source_id".split()
_BY_KEY: Final = (
    select(
        *(_INVITES.c[name] for name in _OWN),
        _SOURCES.c.campaign_id,
        _SOURCES.c.lookback,
        _SOURCES.c.mode,
        _CLICKS.c.id.label("click_id"),
        _CLICKS.c.token,
        _CLICKS.c.external,
        _CLICKS.c.created.label("clicked"),
        _LEADS.c.subscriber.label("clicked_by"),
    )
    .outerjoin(_SOURCES, _SOURCES.c.id == _INVITES.c.source_id)
    .outerjoin(_CLICKS, _CLICKS.c.token == _INVITES.c.token)
    .outerjoin(_LEADS, _LEADS.c.id == _CLICKS.c.lead_id)
    .where(_INVITES.c.link_key.in_(bindparam("keys", expanding=True)))
)
_WRITTEN: Final = ("state", "used_by", "used", "uses", "due")
_OPEN: Final = frozenset({InviteState.POOL, InviteState.HANDED_OUT, InviteState.USED})


class ByInvite(NamedTuple):
    """The touch of an event, and the campaign that the link was made for."""

    touch: Touch
    campaign_id: int
    is_fallback: bool = False


class Incoming(NamedTuple):
    """A lead event and the bot that was told of it."""

    bot_id: int
    event: LeadEvent


def match(
    connection: Connection, incoming: Sequence[Incoming], now: float
) -> list[ByInvite | None]:
    """Return what our links tell of each event, and note on each link who came by it.

    Events are in the order in which they happened: the first person of a link has its click.
    """
    keys = {key for _, event in incoming if (key := _key(event))}
    if not keys:
        return [None] * len(incoming)
    rows = connection.execute(_BY_KEY, {"keys": list(keys)})
    links = {row.link_key: row._asdict() for row in rows}
    result = []
    for bot_id, event in incoming:
        link = links.get(_key(event) or "")
        is_ours = link is not None and link["bot_id"] == bot_id
        result.append(_arrive(link, event, now) if link and is_ours else None)
    written = [tuple(link[name] for name in ("id", *_WRITTEN)) for link in links.values()]
    update_rows(connection, _INVITES, _WRITTEN, sorted(written))
    return result


def _key(event: LeadEvent) -> str | None:
    arrives = event.kind in {LeadEventKind.JOIN, LeadEventKind.REQUEST}
    return event.evidence.link_key if arrives else None


def _arrive(link: dict[str, Any], event: LeadEvent, now: float) -> ByInvite | None:
    """Change `link` to what it is after this event, and return what it tells."""
    is_first = not link["uses"] or link["used_by"] == event.person.id
    # The address of a page's link may be passed on, and gets a new link when the first is used.
    is_theirs = link["clicked_by"] in (None, event.person.id)
    kind = InviteKind(link["kind"])
    touch = _touch(link, kind, event, is_first=is_first and is_theirs)
    if kind is InviteKind.NAMED:
        link["uses"] += event.kind is LeadEventKind.JOIN
    else:
        _use(link, kind, event, now, is_first=is_first)
    if link["campaign_id"] is None:
        return None
    return ByInvite(touch, link["campaign_id"], link["mode"] != SourceMode.NAMED)


def _use(
    link: dict[str, Any], kind: InviteKind, event: LeadEvent, now: float, *, is_first: bool
) -> None:
    """Note the person. A link is closed once somebody joined by it; a link to ask by, its first."""
    if not link["uses"]:
        link["used_by"], link["used"] = event.person.id, event.date
    if not is_first or not link["uses"]:
        link["uses"] += 1
    is_joined = event.kind is LeadEventKind.JOIN and (is_first or kind is InviteKind.SINGLE)
    if link["state"] in _OPEN:
        link["state"] = int(InviteState.TO_REVOKE if is_joined else InviteState.USED)
        link["due"] = now + REVOKED_AFTER


def _touch(link: dict[str, Any], kind: InviteKind, event: LeadEvent, *, is_first: bool) -> Touch:
    touch = Touch(How.NAMED, event.date, source_id=link["source_id"])
    if link["lookback"] is not None:
        touch = replace(touch, lookback=link["lookback"])
    if kind is InviteKind.NAMED:
        return touch
    if not is_first:
        return replace(touch, how=How.FORWARDED)
    how = How.LINK if kind is InviteKind.SINGLE else How.REQUEST
    is_known = link["click_id"] is not None and is_in_time(
        link["clicked"], event.date, touch.lookback
    )
    if not is_known:
        return replace(touch, how=how)
    return replace(
        touch, how=how, click=link["external"] or link["token"], click_id=link["click_id"]
    )
