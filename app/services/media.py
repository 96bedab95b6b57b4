"""Media: taken in, kept, and read again by who sends it.

What a file is, its content says: names and declared types are the caller's.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from typing import IO, Final, NamedTuple

from PIL import Image
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import IntegrityError

from app.domain import media as rules
from app.errors import BadParameter, TooLarge
from app.extensions import db
from app.models import Media, MediaPart
from app.vault import new_secret

MOST_BYTES: Final = rules.VIDEO_BYTES
#: What one account may keep.
QUOTA: Final = 1024 * rules.MEGABYTE
PART: Final = rules.MEGABYTE
_FORMATS: Final = ("JPEG", "PNG", "WEBP")

Image.MAX_IMAGE_PIXELS = None  # only heads are read here; nothing is decoded


class Stored(NamedTuple):
    """A media's content and its MIME type."""

    type: str
    data: bytes


def upload(account_id: int, file: IO[bytes]) -> str:
    """Keep a file and return its code; the same content again has the same code.

    Raises BadParameter or TooLarge, saying why Telegram would not take it.
    """
    size, digest = _measured(file)
    kind, type_ = _examined(file, size)
    known = _known(account_id, digest)
    if known:
        return known
    used = select(func.coalesce(func.sum(Media.size), 0)).where(Media.account_id == account_id)
    if int(db.session.scalar(used) or 0) + size > QUOTA:
        raise TooLarge("this account keeps as many media as it may")
    row = Media(
        account_id=account_id, code=kind + new_secret(12), type=type_, size=size,
        digest=digest, created=int(time.time()),
    )  # fmt: skip
    try:
        return _write(row, file)
    except IntegrityError:  # the same file at the same time
        db.session.rollback()
        return _known(account_id, digest) or ""


def belongs(account_id: int, code: str) -> bool:
    """Whether the account may use this media."""
    mine = select(Media.id).where(Media.code == code, Media.account_id == account_id)
    return db.session.scalar(mine) is not None


def read(connection: Connection, code: str) -> Stored | None:
    """All of a media; None if it is gone."""
    row = connection.execute(select(Media.id, Media.type).where(Media.code == code)).first()
    if row is None:
        return None
    parts = select(MediaPart.data).where(MediaPart.media_id == row.id).order_by(MediaPart.number)
    return Stored(row.type, b"".join(connection.scalars(parts)))


def _write(row: Media, file: IO[bytes]) -> str:
    db.session.add(row)
    db.session.flush()
    for number, data in enumerate(_parts(file)):
        db.session.add(MediaPart(media_id=row.id, number=number, data=data))
        db.session.flush()
        db.session.expunge_all()
    code = row.code
    db.session.commit()
    return code


def _known(account_id: int, digest: str) -> str | None:
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
    """What it is, as the beginning of its code, and its MIME type."""
    file.seek(0)
    if rules.is_video(file.read(16)):
        if size > rules.VIDEO_BYTES:
            raise TooLarge("a video may have 50 MB")
        return rules.VIDEO, "video/mp4"
    file.seek(0)
    try:
        with Image.open(file, formats=_FORMATS) as image:
            (width, height), type_ = image.size, str(image.get_format_mimetype())
            image.verify()
    # Pillow raises half a dozen kinds of errors for a broken file, SyntaxError among them.
    except Exception as error:
        raise BadParameter(
            "file", "file: is neither a JPEG, PNG or WebP picture nor an MP4 video"
        ) from error
    if fault := rules.photo_fault(width, height, size):
        raise (
            TooLarge(fault) if size > rules.PHOTO_BYTES else BadParameter("file", f"file: {fault}")
        )
    return rules.PHOTO, type_
