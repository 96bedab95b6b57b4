"""Prepared files of an account: asked for, listed, read and deleted."""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import orjson
import structlog
from sqlalchemy import delete, or_, select

from app.database.connections import ONLY_READS
from app.domain.time_ranges import DAY
from app.errors import NotFound
from app.extensions import db
from app.models import Export, ExportKind, ExportPart, ExportState, Transfer, TransferState
from app.services.accounts import accounts, quotas
from app.services.accounts.quotas import Quota
from app.services.exports import writer
from app.services.lists import ownership

log = structlog.get_logger()

#: From when it was asked for.
KEPT_SECONDS: Final = float(DAY)
#: Files that one call of `forget` deletes; each may have tens of megabytes.
_MANY: Final = 5
_MOVED: Final = (TransferState.DONE, TransferState.REVERSING, TransferState.REVERSED)


def add(
    account_id: int,
    kind: ExportKind,
    filters: Mapping[str, Any],
    *,
    query: str,
    zone: str,
    estimate: int | None,
    now: float,
) -> int:
    """Ask for a list as a file; `filters` are those of its service. Commits. Returns its id.

    Raises PlanLimit.
    """
    accounts.lock(account_id)
    quotas.check(account_id, Quota.EXPORTS)
    row = Export(account_id=account_id, kind=kind, query=query, zone=zone, created=now)
    row.filters, row.estimate = orjson.dumps(dict(filters)).decode(), estimate
    db.session.add(row)
    db.session.flush()
    export_id = row.id
    db.session.commit()
    writer.has_work.set()
    return export_id


def listed(account_id: int) -> Sequence[Export]:
    """Return the files of an account, newest first."""
    mine = select(Export).where(Export.account_id == account_id)
    fresh = mine.order_by(Export.id.desc()).execution_options(populate_existing=True)
    return db.session.scalars(fresh).all()


def find(account_id: int, export_id: int) -> Export:
    """Return one that is ready. Raises NotFound."""
    return ownership.find(Export, account_id, export_id, Export.state == ExportState.READY)


def text(export_id: int, parts: int) -> Iterator[str]:
    """Read the text of a file, a part in a short transaction: a client may take its time between.

    Raises NotFound in the middle if it was deleted meanwhile.
    """
    for number in range(parts):
        data = db.session.scalar(
            select(ExportPart.data).where(
                ExportPart.export_id == export_id, ExportPart.number == number
            )
        )
        db.session.commit()
        if data is None:
            raise NotFound
        yield zlib.decompress(data).decode()


def remove(account_id: int, export_id: int) -> None:
    """Delete one, or give it up while it is being written. Commits. Raises NotFound."""
    if not _delete(Export.account_id == account_id, Export.id == export_id):
        raise NotFound


def remove_all(account_id: int, now: float) -> None:
    """Delete what an account has, and those whose campaigns came to it or went from it. Commits.

    For erasures: files may tell of the person. It comes after the commit that erases, so what is
    asked for later is read from what is left. A file lives for a day, so a campaign that moved
    earlier stands in none; one that is only offered gives nobody a hold on another's files.
    """
    db.session.connection(execution_options={ONLY_READS: True})
    sides = db.session.execute(
        select(Transfer.account_id, Transfer.recipient_id)
        .where(
            or_(Transfer.account_id == account_id, Transfer.recipient_id == account_id),
            Transfer.state.in_(_MOVED),
            or_(Transfer.settled > now - KEPT_SECONDS, Transfer.progress != ""),
        )
        .distinct()
    )
    theirs = Export.account_id.in_({account_id, *(side for row in sides for side in row)})
    are_there = db.session.scalar(select(Export.id).where(theirs).limit(1)) is not None
    db.session.rollback()
    if are_there:  # or nobody is kept from writing
        _delete(theirs)


def forget(now: float) -> None:
    """Delete some that are old. Commits."""
    old = select(Export.id).where(Export.created < now - KEPT_SECONDS).limit(_MANY)
    ids = db.session.scalars(old).all()
    db.session.commit()
    for export_id in ids:
        _delete(Export.id == export_id)


def _delete(*where: Any) -> int:
    """Delete files with their parts in one transaction. Returns how many."""
    # Whoever writes a part of one holds it, or finds it gone.
    ids = db.session.scalars(select(Export.id).where(*where).with_for_update()).all()
    if ids:
        options = {"synchronize_session": False}
        parts = delete(ExportPart).where(ExportPart.export_id.in_(ids))
        db.session.execute(parts.execution_options(**options))
        db.session.execute(delete(Export).where(Export.id.in_(ids)).execution_options(**options))
        log.info("exports.deleted", count=len(ids))
    db.session.commit()
    return len(ids)
