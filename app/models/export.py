"""Export: a list that is being prepared as a file, or was; ExportPart: a piece of its text."""

import enum

from sqlalchemy import ForeignKey, Index, LargeBinary, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Instant, Key, partial_index


class ExportKind(enum.IntEnum):
    """Which list."""

    LEADS = 0
    DELIVERIES = 1
    JOURNAL = 2
    REQUESTS = 3


class ExportState(enum.IntEnum):
    """How far a file has come."""

    WRITING = 0
    READY = 1
    FAILED = 2


class Export(Base):
    """A list of `account_id` as a file, in the time zone `zone`.

    `query` is the query of the screen that shows the list, and `filters` the same as JSON, as the
    list's service takes it. `place` is JSON: the time and the id of the last row that is written,
    "" before the first. `parts`, `rows` and `size` (bytes as stored) are of what is written;
    `estimate` is how many rows there were when it was asked for, None if they were not counted to
    the end. `is_cut`: it was too long and ends early. `failures` counts parts that
    could not be written.
    """

    __tablename__ = "export"
    __table_args__ = (
        Index("ix_export_account_id_id", "account_id", "id"),
        partial_index("ix_export_writing", "id", where=f"state = {ExportState.WRITING:d}"),
    )

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    kind: Mapped[int] = mapped_column(SmallInteger)
    query: Mapped[str] = mapped_column(Text)
    filters: Mapped[str] = mapped_column(Text)
    zone: Mapped[str] = mapped_column(String(64))
    state: Mapped[int] = mapped_column(SmallInteger, default=ExportState.WRITING)
    place: Mapped[str] = mapped_column(Text, default="")
    parts: Mapped[int] = mapped_column(default=0)
    rows: Mapped[int] = mapped_column(default=0)
    size: Mapped[int] = mapped_column(default=0)
    estimate: Mapped[int | None]
    is_cut: Mapped[bool] = mapped_column(default=False)
    failures: Mapped[int] = mapped_column(SmallInteger, default=0)
    created: Mapped[Instant]
    ended: Mapped[Instant | None]


class ExportPart(Base):
    """Some rows of an export as CSV text, compressed by zlib."""

    __tablename__ = "export_part"

    export_id: Mapped[int] = mapped_column(ForeignKey("export.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)
