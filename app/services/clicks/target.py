"""Which link a visitor of a source gets: of the campaign's own bot or chat, and no other."""

from typing import Any, Final, NamedTuple

from app.domain.clicks import payloads
from app.models import DeskMode, InviteKind, SourceFallback, SourceMode
from app.services.clicks.invites import pool
from app.services.clicks.invites.pool import HandedOut

_KINDS: Final = {SourceMode.INVITE: InviteKind.SINGLE, SourceMode.REQUEST: InviteKind.REQUEST}


class Choice(NamedTuple):
    """The link that a visitor gets, and of which kind it is: start, invite, request or named.

    `expires` is in Unix seconds, 0 for never. `is_fallback`: the source is set to another
    kind, and no such link was to be had.
    """

    link: str
    kind: str = "start"
    expires: int = 0
    is_fallback: bool = False


def plain(source: Any) -> Choice:
    """The link of a visit that becomes no click: a preview, a flood, or a source that is paused.

    `source` is a row that `open_link` has read, here and below.
    """
    mode = mode_in_force(source)
    is_shared = mode is SourceMode.NAMED or source.fallback == SourceFallback.NAMED
    if is_shared and mode is not SourceMode.START and (choice := _named(source)):
        return choice
    return Choice(_start_link(source, source.campaign_code))


def choose(source: Any, token: str, now: float) -> Choice:
    """The link of the click `token`, which is new at `now`, Unix seconds. Commits."""
    kind = pooled_kind(source)
    handed_out = pool.hand_out(source, kind, token, now) if kind else None
    return of_pool(source, handed_out) if handed_out else choose_beside_pool(source, token, now)


def pooled_kind(source: Any) -> InviteKind | None:
    """The kind of link of the pool that a new click gets, None if it gets another link."""
    kind = _KINDS.get(mode_in_force(source))
    return kind if kind and _can_invite(source) is not False else None


def of_pool(source: Any, handed_out: HandedOut) -> Choice:
    """The choice of a link that was handed out."""
    return Choice(handed_out.link, mode_in_force(source).name.lower(), handed_out.expires)


def choose_beside_pool(source: Any, token: str, now: float) -> Choice:
    """The link of a new click for which the pool has none. Commits."""
    mode = mode_in_force(source)
    if mode is SourceMode.START:
        return _start(source, token)
    if mode is SourceMode.NAMED:
        return _named(source) or _fall_back(source, token)
    kind = pooled_kind(source)
    made = pool.make_now(source, kind, token, now) if kind else None
    return of_pool(source, made) if made else _fall_back(source, token)


def choose_again(source: Any, token: str, now: float) -> Choice | None:
    """The link that the click `token` got before; None if that leads nowhere any more."""
    mode = mode_in_force(source)
    if mode is SourceMode.START:
        return _start(source, token)
    if mode is SourceMode.NAMED:
        return _named(source) or _fall_back(source, token)
    was_made, handed_out = pool.of_click(token, now)
    if handed_out:
        return of_pool(source, handed_out)
    return None if was_made else _fall_back(source, token)


def mode_in_force(source: Any) -> SourceMode:
    """Which link a source gives now; AUTO is one of the others."""
    mode = SourceMode(source.mode)
    if mode is not SourceMode.AUTO:
        return mode
    if source.chat_username or not _can_invite(source):
        return SourceMode.START
    return SourceMode.INVITE if source.desk == DeskMode.OFF else SourceMode.REQUEST


def _can_invite(source: Any) -> bool | None:
    """Whether the bot may make links in the chat; None if its rights are not known."""
    if source.is_admin is None:
        return None
    return bool(source.is_admin and source.can_invite)


def _fall_back(source: Any, token: str) -> Choice:
    choice = None
    if source.fallback == SourceFallback.NAMED:
        choice = _named(source)
    elif source.fallback == SourceFallback.NONE:
        choice = Choice(_start_link(source, source.campaign_code))
    return (choice or _start(source, token))._replace(is_fallback=True)


def _named(source: Any) -> Choice | None:
    handed_out = pool.named_link(source)
    return Choice(handed_out.link, "named") if handed_out else None


def _start(source: Any, token: str) -> Choice:
    return Choice(_start_link(source, payloads.of_token(source.campaign_code, token)))


def _start_link(source: Any, payload: str) -> str:
    return f"https://t.me/{source.username}?start={payload}"
