"""Where a visitor of a source goes: a link of the campaign's own bot, and nowhere else."""

from __future__ import annotations

from typing import Any, NamedTuple

from app.domain.clicks import payloads


class Choice(NamedTuple):
    """The link that a visitor gets."""

    link: str


def plain(source: Any) -> Choice:
    """The link of a visit that becomes no click: a preview, a flood, or a source that is paused.

    `source` is a row that `open_link` has read, here and below.
    """
    return Choice(_start_link(source, source.campaign_code))


def choose(source: Any, token: str, _now: float) -> Choice:
    """The link of the click `token`, which is new at `now`, Unix seconds."""
    return Choice(_start_link(source, payloads.of_token(source.campaign_code, token)))


def choose_again(source: Any, token: str, now: float) -> Choice | None:
    """The link that the click `token` got before; None if that leads nowhere any more."""
    return choose(source, token, now)


def _start_link(source: Any, payload: str) -> str:
    return f"https://t.me/{source.username}?start={payload}"
