"""Settle: what became of claimed postbacks, in bulk, fenced by the lease."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Final

from sqlalchemy import Connection, Text, or_, select, type_coerce, update

from app.database import insert_rows, update_rows
from app.domain.backoff import block_seconds
from app.models import Attempt, Destination, DestinationStatus, Postback, PostbackState, table_of

_POSTBACKS = table_of(Postback)
_ATTEMPTS = table_of(Attempt)
_DESTINATIONS = table_of(Destination)


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One attempt, as people will see it. Its fields are the table's columns."""

    postback_id: int
    occurrence: int
    number: int
    step: str
    started: float
    ms: int
    request: str
    status: int | None
    answer: str
    verdict: str
    reason: str
    next_try: float | None
    key: str


@dataclass(frozen=True, slots=True)
class PostbackUpdate:
    """What becomes of one claimed postback. Its fields are the table's columns."""

    id: int
    state: PostbackState
    reason: str
    tries: int
    steps: int
    due: float
    first_try: float | None
    settled: float | None
    carried: str = ""
    lease: None = None
    lease_until: None = None


@dataclass(frozen=True, slots=True)
class Health:
    """How one destination fared in a batch.

    `stop` is why to switch it off, `settings` are those that were refused, as encrypted.
    """

    id: int
    succeeded: int
    failed: int
    stop: str = ""
    settings: str = ""


@dataclass(slots=True)
class Batch:
    """Outcomes gathered for one commit."""

    settled: list[PostbackUpdate] = field(default_factory=list)
    tried: list[AttemptRow] = field(default_factory=list)
    untouched: list[int] = field(default_factory=list)  # postbacks to hand back
    health: dict[int, Health] = field(default_factory=dict)  # by destination
    oldest: float = 0.0  # when the first of them came

    def __len__(self) -> int:
        return len(self.settled) + len(self.untouched)

    def note(self, destination: int, *, good: bool, stop: str = "", settings: str = "") -> None:
        """Remember how a destination fared, if the table should know."""
        known = self.health.get(destination, Health(destination, 0, 0))
        self.health[destination] = Health(
            destination, known.succeeded + good, known.failed + (not good), stop or known.stop,
            settings if stop else known.settings,
        )  # fmt: skip


#: Why a postback was given up, and what is left of its attempts.
ERASED: Final = "erased"
_TRIED: Final = [one.name for one in fields(AttemptRow)]
_CHANGED: Final = [one.name for one in fields(PostbackUpdate)][1:]
_as_tried: Final = attrgetter(*_TRIED)
_as_settled: Final = attrgetter("id", *_CHANGED)


def settle(connection: Connection, lease: str, batch: Batch, now: float) -> None:
    """Record attempts always, and outcomes where the lease is still ours. No commit."""
    insert_rows(connection, _ATTEMPTS, _TRIED, [_as_tried(one) for one in batch.tried])
    settled = [_as_settled(one) for one in batch.settled]
    changed = update_rows(
        connection, _POSTBACKS, _CHANGED, settled, state=int(PostbackState.SENDING), lease=lease
    )
    if changed < len(settled):
        _forget_erased(connection, [one.id for one in batch.settled])
    _release(connection, lease, batch.untouched)
    _note_health(connection, list(batch.health.values()), now)


def _forget_erased(connection: Connection, ids: Sequence[int]) -> None:
    """Whose person was erased while it was sent, keeps no attempt that tells of them."""
    row = _POSTBACKS.c
    erased = select(row.id).where(row.id.in_(ids), row.reason == ERASED)
    connection.execute(
        update(_ATTEMPTS)
        .where(_ATTEMPTS.c.postback_id.in_(erased))
        .values(request=ERASED, answer="")
    )


def hold(connection: Connection, destination: int, until: float) -> None:
    """Ask for no work of a destination before `until`, Unix seconds. No commit."""
    row = _DESTINATIONS.c
    connection.execute(
        update(_DESTINATIONS)
        .where(row.id == destination, row.blocked_until < until)
        .values(blocked_until=until)
    )


def _release(connection: Connection, lease: str, ids: Sequence[int]) -> None:
    """Give up the lease on postbacks that were not tried, free of charge."""
    if ids:
        row = _POSTBACKS.c
        connection.execute(
            update(_POSTBACKS)
            .where(row.id.in_(ids), row.state == PostbackState.SENDING, row.lease == lease)
            .values(state=PostbackState.WAITING, lease=None, lease_until=None)
        )


def _note_health(connection: Connection, health: Sequence[Health], now: float) -> None:
    """Success closes a breaker, failures in a row open it, some answers switch off."""
    if not health:
        return
    row = _DESTINATIONS.c
    # In one order for all, or two workers wait for each other's rows for ever.
    connection.execute(
        select(row.id)
        .where(row.id.in_([one.id for one in health]))
        .order_by(row.id)
        .with_for_update()
    ).all()
    well = [one.id for one in health if one.succeeded]
    if well:
        troubled = or_(row.failures > 0, row.blocked_until > 0)
        connection.execute(
            update(_DESTINATIONS)
            .where(row.id.in_(well), troubled)
            .values(failures=0, blocked_until=0.0)
        )
    for one in health:
        if one.failed and not one.succeeded:
            _note_failures(connection, one, now)
        if one.stop:
            # Whoever has mended the settings meanwhile is not switched off for the old ones.
            refused = type_coerce(row.settings, Text()) == one.settings
            connection.execute(
                update(_DESTINATIONS)
                .where(row.id == one.id, row.status == DestinationStatus.ACTIVE, refused)
                .values(status=DestinationStatus.OFF, reason=one.stop[:300])
            )


def _note_failures(connection: Connection, one: Health, now: float) -> None:
    row = _DESTINATIONS.c
    mine = update(_DESTINATIONS).where(row.id == one.id)
    failures = connection.scalar(
        mine.values(failures=row.failures + one.failed).returning(row.failures)
    )
    pause = block_seconds(failures or 0)
    if pause:
        connection.execute(mine.values(blocked_until=now + pause))
