"""What there is to do now, asked in one statement: an idle installation costs one a second.

It asks for rows in which there may be work, each by an index. Only where there are any is it asked
what of them is due, which takes PostgreSQL ten times as long to plan.
"""

from functools import lru_cache
from typing import Final, NamedTuple

from sqlalchemy import TextClause, text

from app.database.direct import fetch
from app.extensions import db
from app.models import (
    ExportState,
    InviteState,
    MessageState,
    PostbackState,
    RequestState,
    Span,
    TransferState,
    UpdateState,
)
from app.services import messages, postbacks
from app.services.clicks.invites import demand, revoking
from app.services.join_requests.telling import claim as decisions
from app.services.lists.row_counts import TALLIES


class PendingWork(NamedTuple):
    """Whether there are updates, postbacks or messages for the workers, and tasks of the clock.

    `decisions` are those of desks, which Telegram is to be told; `invites` are links to be made
    or revoked.
    """

    updates: bool
    postbacks: bool
    messages: bool
    decisions: bool
    postbacks_to_sweep: bool
    invites: bool
    transfers: bool
    exports: bool
    notices: bool
    fresh_counts: bool
    cold_conversions: bool


class _Search(NamedTuple):
    """SQL that is true where `rows` are that may be work, and SQL that finds what is `due` of them.

    Without the second each such row is work.
    """

    rows: tuple[str, ...]
    due: tuple[str, ...] = ()


def _first(table: str, column: str, where: str = "TRUE") -> str:
    """SQL that is true if there is such a row, which the index on `column` finds.

    Of `EXISTS` PostgreSQL would drop the order, and read the whole table where it believes from
    an earlier hour that such rows are many.
    """
    return f"(SELECT 1 FROM {table} WHERE {where} ORDER BY {column} LIMIT 1) IS NOT NULL"  # noqa: S608


# Numbers stand in the text: a partial index is used only where the planner sees them.
_POSTBACKS_WAIT: Final = _first("postback", "destination_id", f"state = {PostbackState.WAITING:d}")
_SEARCHES: Final[dict[str, _Search]] = {
    "updates": _Search((_first("telegram_update", "bot_id", f"state = {UpdateState.WAITING:d}"),)),
    "postbacks": _Search((_POSTBACKS_WAIT,), (postbacks.DUE,)),
    "messages": _Search(
        (
            _first("message", "bot_id", f"state = {MessageState.WAITING:d}"),
            _first("message", "lease_until", f"state = {MessageState.SENDING:d}"),
        ),
        messages.DUE,
    ),
    "decisions": _Search(
        (
            _first("join_request", "campaign_id", f"state = {RequestState.SCHEDULED:d}"),
            _first("join_request", "due", f"state = {RequestState.SENDING:d}"),
        ),
        decisions.DUE,
    ),
    "postbacks_to_sweep": _Search(
        (
            _POSTBACKS_WAIT,
            _first("postback", "lease_until", f"state = {PostbackState.SENDING:d}"),
        ),
        postbacks.TO_SWEEP,
    ),
    "invites": _Search(
        (
            _first("invite", "due", f"state = {InviteState.TO_REVOKE:d}"),
            _first("source", "campaign_id", demand.NEEDS_LINKS),
        ),
        (revoking.DUE, demand.DUE),
    ),
    "transfers": _Search(
        (
            _first(
                "transfer",
                "due",
                f"state IN ({TransferState.PENDING:d}, {TransferState.REVERSING:d})",
            ),
            _first("transfer", "id", "progress <> ''"),
        ),
        (
            *(
                f"SELECT id FROM transfer WHERE state = {state:d} AND due <= :now"  # noqa: S608
                for state in (TransferState.PENDING, TransferState.REVERSING)
            ),
            "SELECT id FROM transfer WHERE progress <> ''",
        ),
    ),
    "exports": _Search((_first("export", "id", f"state = {ExportState.WRITING:d}"),)),
    "notices": _Search((_first("notice", "id"),)),
    "fresh_counts": _Search(
        tuple(_first(table.name, "account_id", f"span = {Span.DELTA:d}") for table in TALLIES)
    ),
    "cold_conversions": _Search((_first("conversion", "id", "lead_id IS NULL"),)),
}
_LOOK: Final = text(
    "SELECT "
    + ", ".join(f"{' OR '.join(_SEARCHES[name].rows)} AS {name}" for name in PendingWork._fields)
)


def look(now: float) -> PendingWork:
    """Return what there is to do at `now`, Unix seconds. Ends the transaction."""
    connection = db.session.connection()
    work = PendingWork(*map(bool, fetch(connection, _LOOK, {})[0]))
    if doubtful := tuple(
        name for name, search in _SEARCHES.items() if search.due and getattr(work, name)
    ):
        params = messages.due_at(now) | {"old": postbacks.kept_since(now)}
        row = fetch(connection, _look_for_due(doubtful), params)[0]
        work = work._replace(**dict(zip(doubtful, map(bool, row), strict=True)))
    db.session.rollback()
    return work


@lru_cache(maxsize=64)
def _look_for_due(names: tuple[str, ...]) -> TextClause:
    searches = (
        " OR ".join(f"EXISTS ({search})" for search in _SEARCHES[name].due) + f" AS {name}"
        for name in names
    )
    return text(f"SELECT {', '.join(searches)}")
