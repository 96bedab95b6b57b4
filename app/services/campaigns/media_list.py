"""The media of an account, listed and deleted: media/list and media/del."""

from typing import Any, NamedTuple

import structlog
from sqlalchemy import ColumnElement, delete, exists, func, or_, select

from app.errors import BadParameter, NotFound, translatable
from app.extensions import db
from app.models import Campaign, Media, MediaFile, MediaPart
from app.outbound.object_store import StoreUnreachable
from app.services.accounts import accounts
from app.services.campaigns import media
from app.services.lists.pages import Page
from app.web.request_slots import slot_released

log = structlog.get_logger()


class ListedMedia(NamedTuple):
    """A media as `media/list` shows it. `used`: a campaign that is not deleted shows it."""

    media: str
    type: str
    size: int
    created: int
    used: bool


def listed(
    account_id: int,
    *,
    limit: int = 50,
    offset: int = 0,
    before: str | None = None,
    since: int | None = None,
    until: int | None = None,
) -> Page[ListedMedia]:
    """Return the media of an account, newest first, from behind the code `before`.

    `since` and `until` are Unix seconds of the upload. Raises NotFound for an unknown `before`.
    """
    conditions = [Media.account_id == account_id]
    if since is not None:
        conditions.append(Media.created >= since)
    if until is not None:
        conditions.append(Media.created <= until)
    total = db.session.scalar(select(func.count()).select_from(Media).where(*conditions)) or 0
    if before is not None:
        conditions.append(Media.id < _find(account_id, before).id)
    columns = Media.code, Media.type, Media.size, Media.created, _is_used(Media.code)
    page = select(*columns).where(*conditions).order_by(Media.id.desc())
    rows = db.session.execute(page.limit(limit).offset(offset)).all()
    return Page([ListedMedia(*row) for row in rows], total)


def remove(account_id: int, code: str) -> None:
    """Delete a media for good. A welcome that waits to be sent goes out without it.

    Raises NotFound, or BadParameter while a campaign shows it, whoever owns that by now.
    """
    accounts.lock(account_id)  # no campaign may choose it meanwhile
    row = _find(account_id, code)
    if db.session.scalar(select(_is_used(code))):
        raise BadParameter(
            "media", translatable("is shown by a campaign; give that another one first")
        )
    has_parts = db.session.scalar(select(exists().where(MediaPart.media_id == row.id)))
    db.session.execute(delete(MediaPart).where(MediaPart.media_id == row.id))
    db.session.execute(delete(MediaFile).where(MediaFile.media == code))
    db.session.execute(delete(Media).where(Media.id == row.id))
    db.session.commit()
    store = media.configured_store()
    if store is None or has_parts:
        return
    try:
        with slot_released():
            store.delete(code)
    except StoreUnreachable as error:
        log.warning("media.object_left", media=code, reason=str(error))


def _find(account_id: int, code: str) -> Media:
    mine = select(Media).where(Media.code == code, Media.account_id == account_id)
    row = db.session.scalar(mine)
    if row is None:
        raise NotFound
    return row


def _is_used(code: Any) -> ColumnElement[bool]:
    is_shown = or_(Campaign.media == code, Campaign.greet_media == code)
    return exists().where(is_shown, Campaign.living)
