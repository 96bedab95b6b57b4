"""Settle: what became of claimed postbacks, in bulk, fenced by the lease."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Final

from sqlalchemy import Connection, Text, or_, select, type_coerce, update

from app.database.direct import execute_all
from app.database.rows import insert_writes, update_writes
from app.domain.backoff import block_seconds
from app.models import Attempt, Destination, DestinationStatus, Postback, PostbackState, table_of
from app.models.postback import REASON_LENGTH
from app.services.postbacks.claimed import PostbackUpdate

_POSTBACKS = table_of(Postback)
_ATTEMPTS = table_of(Attempt)
_DESTINATIONS = table_of(Destination)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """One attempt, as people will see it. Its fields are the table's columns."""

    postback_id: int
    occurrence: int
    number: int
    step: str = ""
    started: float
    ms: int = 0
    request: str = ""
    status: int | None = None
    answer: str = ""
    verdict: str
    reason: str
    next_try: float | None
    key: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """How one destination fared in a batch.

    `stop` is why to switch it off; `settings` are the ones that were refused, encrypted.
    """

    id: int
    succeeded: int
    failed: int
    stop: str = ""
    settings: str = ""


@dataclass(slots=True)
class Batch:
    """What one commit settles. Its length is the number of postbacks that change."""

    updates: list[PostbackUpdate] = field(default_factory=list)
    attempts: list[AttemptRow] = field(default_factory=list)
    released: list[int] = field(default_factory=list)  # postbacks that were not tried
    health: dict[int, Health] = field(default_factory=dict)  # by destination

    def __len__(self) -> int:
        return len(self.updates) + len(self.released)

    def note(self, destination: int, *, healthy: bool, stop: str = "", settings: str = "") -> None:
        """Add one result to the health of a destination: whether the tracker worked."""
        self._add_health(
            Health(destination, int(healthy), int(not healthy), stop, settings if stop else "")
        )

    def add(self, later: "Batch") -> None:
        """Add what came after all of this."""
        self.updates += later.updates
        self.attempts += later.attempts
        self.released += later.released
        for health in later.health.values():
            self._add_health(health)

    def _add_health(self, later: Health) -> None:
        before = self.health.get(later.id, Health(later.id, 0, 0))
        self.health[later.id] = Health(
            id=later.id,
            succeeded=before.succeeded + later.succeeded,
            failed=before.failed + later.failed,
            stop=later.stop or before.stop,
            settings=later.settings if later.stop else before.settings,
        )


#: Why a postback was given up, and what is left of its attempts.
ERASED: Final = "erased"
_ATTEMPT_COLUMNS: Final = [column.name for column in fields(AttemptRow)]
_UPDATED_COLUMNS: Final = [column.name for column in fields(PostbackUpdate)][1:]
_attempt_values: Final = attrgetter(*_ATTEMPT_COLUMNS)
_update_values: Final = attrgetter("id", *_UPDATED_COLUMNS)


def settle(connection: Connection, lease: str, batch: Batch, now: float) -> None:
    """Record attempts always, and outcomes where the lease is still ours. No commit."""
    attempts = [_attempt_values(attempt) for attempt in batch.attempts]
    updates = [_update_values(update_) for update_ in batch.updates]
    is_ours = {"state": int(PostbackState.SENDING), "lease": lease}
    written = execute_all(
        connection,
        [
            *insert_writes(connection, _ATTEMPTS, _ATTEMPT_COLUMNS, attempts),
            *update_writes(connection, _POSTBACKS, _UPDATED_COLUMNS, updates, **is_ours),
        ],
    )
    changed = written if updates else 0
    if changed < len(updates):
        _strip_erased(connection, [change.id for change in batch.updates])
    _release(connection, lease, batch.released)
    _record_health(connection, list(batch.health.values()), now)


def _strip_erased(connection: Connection, ids: Sequence[int]) -> None:
    """Empty the attempts of postbacks whose subscriber was erased while they were in flight."""
    row = _POSTBACKS.c
    erased = select(row.id).where(row.id.in_(ids), row.reason == ERASED)
    connection.execute(
        update(_ATTEMPTS)
        .where(_ATTEMPTS.c.postback_id.in_(erased))
        .values(request=ERASED, answer="")
    )


def block(connection: Connection, destination: int, until: float) -> None:
    """Claim nothing of a destination before `until`, Unix seconds. No commit."""
    row = _DESTINATIONS.c
    connection.execute(
        update(_DESTINATIONS)
        .where(row.id == destination, row.blocked_until < until)
        .values(blocked_until=until)
    )


def _release(connection: Connection, lease: str, ids: Sequence[int]) -> None:
    """Give up the lease on postbacks that were not tried; no attempt is charged."""
    if ids:
        row = _POSTBACKS.c
        connection.execute(
            update(_POSTBACKS)
            .where(row.id.in_(ids), row.state == PostbackState.SENDING, row.lease == lease)
            .values(state=PostbackState.WAITING, lease=None, lease_until=None)
        )


def _record_health(connection: Connection, health: Sequence[Health], now: float) -> None:
    """Close breakers after a success, open them after failures, switch off what an answer says."""
    if not health:
        return
    row = _DESTINATIONS.c
    # In one order for all, or two workers wait for each other's rows for ever.
    connection.execute(
        select(row.id)
        .where(row.id.in_([destination.id for destination in health]))
        .order_by(row.id)
        .with_for_update()
    ).all()
    well = [destination.id for destination in health if destination.succeeded]
    if well:
        troubled = or_(row.failures > 0, row.blocked_until > 0)
        connection.execute(
            update(_DESTINATIONS)
            .where(row.id.in_(well), troubled)
            .values(failures=0, blocked_until=0.0)
        )
    for destination in health:
        if destination.failed and not destination.succeeded:
            _count_failures(connection, destination, now)
        if destination.stop:
            # Settings that were mended meanwhile are not switched off for the old ones.
            refused = type_coerce(row.settings, Text()) == destination.settings
            is_active = row.status == DestinationStatus.ACTIVE
            connection.execute(
                update(_DESTINATIONS)
                .where(row.id == destination.id, is_active, refused)
                .values(status=DestinationStatus.OFF, reason=destination.stop[:REASON_LENGTH])
            )


def _count_failures(connection: Connection, destination: Health, now: float) -> None:
    row = _DESTINATIONS.c
    statement = update(_DESTINATIONS).where(row.id == destination.id)
    failures = connection.scalar(
        statement.values(failures=row.failures + destination.failed).returning(row.failures)
    )
    pause = block_seconds(failures or 0)
    if pause:
        connection.execute(statement.values(blocked_until=now + pause))
