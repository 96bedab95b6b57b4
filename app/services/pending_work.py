"""What there is to do now, asked in one statement: an idle installation costs one a second."""

from typing import Final, NamedTuple

from sqlalchemy import text

from app.extensions import db
from app.models import ExportState, Span, TransferState, UpdateState
from app.services import messages, postbacks
from app.services.join_requests.telling import claim as decisions
from app.services.lists.row_counts import TALLIES

_FRESH_COUNTS: Final = tuple(
    f"SELECT id FROM {table.name} WHERE span = {Span.DELTA:d}"  # noqa: S608 - our own names
    for table in TALLIES
)

#: SQL that finds work, by the field of `PendingWork` that tells whether there is any.
#: Numbers stand in the text: a partial index is used only where the planner sees them.
_SEARCHES: Final[dict[str, tuple[str, ...]]] = {
    "updates": (f"SELECT id FROM telegram_update WHERE state = {UpdateState.WAITING:d}",),  # noqa: S608
    "postbacks": (postbacks.DUE,),
    "messages": messages.DUE,
    "decisions": decisions.DUE,
    "postbacks_to_sweep": postbacks.TO_SWEEP,
    "transfers": (
        *(
            f"SELECT id FROM transfer WHERE state = {state:d} AND due <= :now"  # noqa: S608
            for state in (TransferState.PENDING, TransferState.REVERSING)
        ),
        "SELECT id FROM transfer WHERE progress <> ''",
    ),
    "exports": (f"SELECT id FROM export WHERE state = {ExportState.WRITING:d}",),  # noqa: S608
    "notices": ("SELECT id FROM notice",),
    "fresh_counts": _FRESH_COUNTS,
    "cold_conversions": ("SELECT id FROM conversion WHERE lead_id IS NULL",),
}


class PendingWork(NamedTuple):
    """Whether there are updates, postbacks or messages for the workers, and tasks of the clock.

    `decisions` are those of desks, which Telegram is to be told.
    """

    updates: bool
    postbacks: bool
    messages: bool
    decisions: bool
    postbacks_to_sweep: bool
    transfers: bool
    exports: bool
    notices: bool
    fresh_counts: bool
    cold_conversions: bool


def _any_of(searches: tuple[str, ...]) -> str:
    return " OR ".join(f"EXISTS ({search})" for search in searches)


_LOOK: Final = text(
    "SELECT " + ", ".join(f"{_any_of(_SEARCHES[name])} AS {name}" for name in PendingWork._fields)
)


def look(now: float) -> PendingWork:
    """Return what there is to do at `now`, Unix seconds. Ends the transaction."""
    params = messages.due_at(now) | {"old": postbacks.kept_since(now)}
    row = db.session.execute(_LOOK, params).one()
    db.session.rollback()
    return PendingWork(*map(bool, row))
