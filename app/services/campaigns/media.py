"""Media of welcomes: uploaded, stored, and read again to be sent.

The type of a file is found out from its content: its name and declared type come from the
caller. The content is stored in the database, or as an object named by its code in the store
that MEDIA_STORE names. Media with parts are in the database, wherever new ones go by now.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Final, NamedTuple

import structlog
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import SQLAlchemyError

from app.config import current_settings
from app.crypto import new_secret
from app.domain.media import limits
from app.domain.media.image_head import HEAD_BYTES, TAIL_BYTES, is_cut_short, read_image_head
from app.errors import (
    ApiError,
    BadParameter,
    DatabaseDown,
    TooLarge,
    translatable,
)
from app.extensions import db
from app.models import Media, MediaPart
from app.outbound import object_store
from app.outbound.object_store import ObjectStore, StoreUnreachable
from app.services.accounts import accounts, quotas, rate_limits
from app.services.accounts.quotas import Quota
from app.web.request_slots import slot_released

log = structlog.get_logger()

MAX_BYTES: Final = limits.VIDEO_BYTES
#: Bytes that one account may store.
QUOTA: Final = 1024 * limits.MEGABYTE
PART: Final = limits.MEGABYTE


class MediaContent(NamedTuple):
    """A media's content and its MIME type."""

    type: str
    data: bytes


class StoreDown(DatabaseDown):
    """The store of media did not answer; the caller may retry."""

    default = "the store of media does not answer; try again"


class StoredMedia(NamedTuple):
    """A media with a row; `data` is empty if its content is in `store`."""

    code: str
    type: str
    size: int
    data: bytes
    store: ObjectStore | None

    def content(self) -> MediaContent | None:
        """Return the content; None, with an error in the log, if it is gone.

        Needs neither a connection nor an application, so any thread may call it. Raises
        StoreUnreachable.
        """
        data = self.data
        if not data and self.store:
            data = self.store.get(self.code, self.size + 1) or b""
        if len(data) == self.size:
            return MediaContent(self.type, data)
        log.error("media.gone", media=self.code, wanted=self.size, found=len(data))
        return None


def upload(account_id: int, file: IO[bytes]) -> str:
    """Store a file and return its code; the same content again has the same code.

    Raises BadParameter or TooLarge, saying why Telegram would not take it; TooLarge or
    PlanLimit if the account may store no more; TooManyRequests; or StoreDown.
    """
    size, digest = _measured(file)
    kind, type_ = _examined(file, size)
    if stored := _code_of(account_id, digest):
        return stored
    _check_room(account_id, size)
    db.session.commit()  # nothing is held while Redis and the store are spoken to
    rate_limits.UPLOADS.hit(str(account_id), max(1, -(-size // limits.MEGABYTE)))
    row = Media(
        account_id=account_id, code=kind + new_secret(12), type=type_, size=size,
        digest=digest, created=int(time.time()),
    )  # fmt: skip
    store = configured_store()
    return _write(row, file) if store is None else _put(store, row, file)


def configured_store() -> ObjectStore | None:
    """Return the store for new media; None if they go to the database."""
    url = current_settings().media_store
    return object_store.opened(url) if url else None


def belongs(account_id: int, code: str) -> bool:
    """Return whether the account has uploaded this media."""
    mine = select(Media.id).where(Media.code == code, Media.account_id == account_id)
    return db.session.scalar(mine) is not None


def find(connection: Connection, code: str) -> StoredMedia | None:
    """Return where the content of a media is; None if no media has this code."""
    row = connection.execute(
        select(Media.id, Media.type, Media.size).where(Media.code == code)
    ).first()
    if row is None:
        return None
    parts = select(MediaPart.data).where(MediaPart.media_id == row.id).order_by(MediaPart.number)
    data = b"".join(connection.scalars(parts))
    return StoredMedia(code, row.type, row.size, data, configured_store())


def _check_room(account_id: int, size: int) -> None:
    """Raise TooLarge or PlanLimit unless `size` more bytes have room.

    That holds on while the caller has locked the account.
    """
    used = select(func.coalesce(func.sum(Media.size), 0)).where(Media.account_id == account_id)
    if int(db.session.scalar(used) or 0) + size > QUOTA:
        raise TooLarge(translatable("this account keeps as many media as it may"))
    quotas.check(account_id, Quota.MEDIA)


def _reserve(row: Media) -> str | None:
    """Insert `row` under the lock of its account, or return the code of the same content.

    Raises as `_check_room` does. No commit.
    """
    accounts.lock(row.account_id)
    if stored := _code_of(row.account_id, row.digest):  # the same file at the same time
        return stored
    _check_room(row.account_id, row.size)
    db.session.add(row)
    db.session.flush()
    return None


def _write(row: Media, file: IO[bytes]) -> str:
    code = row.code
    if stored := _reserve(row):
        db.session.rollback()
        return stored
    media_id = row.id
    for number, data in enumerate(_parts(file)):
        db.session.add(MediaPart(media_id=media_id, number=number, data=data))
        db.session.flush()
        db.session.expunge_all()
    db.session.commit()
    return code


def _put(store: ObjectStore, row: Media, file: IO[bytes]) -> str:
    """Store the object, then the row: a row without an object could never be sent.

    If it is unknown whether the commit was done, the object stays, for it may be needed.
    """
    code = row.code
    try:
        with slot_released():  # a store that hangs must not hold all slots
            store.put(code, file, row.type)
    except StoreUnreachable as error:
        log.warning("media.not_stored", reason=str(error))
        raise StoreDown from error
    try:
        stored = _reserve(row)
    except (ApiError, SQLAlchemyError):
        db.session.rollback()
        _drop(store, code)
        raise
    db.session.commit()
    if stored:
        _drop(store, code)
    return stored or code


def _drop(store: ObjectStore, code: str) -> None:
    with suppress(StoreUnreachable), slot_released():
        store.delete(code)


def _code_of(account_id: int, digest: str) -> str | None:
    return db.session.scalar(
        select(Media.code).where(Media.account_id == account_id, Media.digest == digest)
    )


def _measured(file: IO[bytes]) -> tuple[int, str]:
    size, digest = 0, hashlib.sha256()
    for part in _parts(file):
        size += len(part)
        digest.update(part)
    return size, digest.hexdigest()


def _parts(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while part := file.read(PART):
        yield part


def _examined(file: IO[bytes], size: int) -> tuple[str, str]:
    """Return the first letter of its code (photo or video), and its MIME type."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if limits.is_video(head):
        if size > limits.VIDEO_BYTES:
            raise TooLarge(translatable("a video may have 50 MB"))
        return limits.VIDEO, "video/mp4"
    picture = read_image_head(head)
    file.seek(max(0, size - TAIL_BYTES))
    if picture is None or is_cut_short(picture, head, file.read(TAIL_BYTES), size):
        raise BadParameter(
            "file", translatable("is neither a JPEG, PNG or WebP picture nor an MP4 video")
        )
    type_, width, height = picture
    if fault := limits.photo_fault(width, height, size):
        raise (TooLarge(fault) if size > limits.PHOTO_BYTES else BadParameter("file", fault))
    return limits.PHOTO, type_
