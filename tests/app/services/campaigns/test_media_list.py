"""Media are listed by account, newest first, and deleted unless a campaign shows them."""

import io

import pytest
from sqlalchemy import func, select

from app.errors import BadParameter, NotFound
from app.extensions import db
from app.models import CampaignStatus, Media, MediaFile, MediaPart
from app.services.campaigns import media, media_list

MP4 = b"\0\0\0\x10ftypisom\0\0\0\0"


@pytest.fixture
def upload(account):
    """`upload(b"x")`: the code of a new film, uploaded a second after the one before."""
    numbers = iter(range(1, 99))

    def upload(content: bytes = b"", owner: int | None = None) -> str:
        number = next(numbers)
        code = media.upload(owner or account.id, io.BytesIO(MP4 + bytes([number]) + content))
        db.session.execute(
            Media.__table__.update().where(Media.code == code).values(created=number)
        )
        db.session.commit()
        return code

    return upload


def codes(account, **filters):
    page = media_list.listed(account.id, **filters)
    return [row.media for row in page.rows], page.total


def test_pages_go_from_the_newest_to_the_oldest_and_count_what_the_filter_finds(
    account, other, upload
):
    first, second, third = upload(), upload(), upload()
    upload(owner=other.id)
    assert codes(account) == ([third, second, first], 3)
    assert codes(account, limit=1, offset=1) == ([second], 3)
    assert codes(account, before=third, limit=1) == ([second], 3)
    assert codes(account, since=2, until=2) == ([second], 1)


@pytest.mark.parametrize("code", ["vid_nobody", "theirs"])
def test_a_page_behind_what_is_not_ours_is_not_found(account, other, upload, code):
    before = upload(owner=other.id) if code == "theirs" else code
    with pytest.raises(NotFound):
        media_list.listed(account.id, before=before)


@pytest.mark.parametrize("shown", ["media", "greet_media"])
@pytest.mark.parametrize("status", CampaignStatus)
def test_a_media_is_used_while_a_campaign_that_is_not_deleted_shows_it(
    *, account, other, world_of, upload, status, shown
):
    code = upload(b"film")
    world_of(other.id).campaign(**{shown: code}, status=status)  # it may have been given away
    (row,) = media_list.listed(account.id).rows
    assert row.used is (status is not CampaignStatus.DELETED)
    assert (row.type, row.size) == ("video/mp4", len(MP4) + 5)
    if row.used:
        with pytest.raises(BadParameter) as caught:
            media_list.remove(account.id, code)
        assert caught.value.field == "media"
    else:
        media_list.remove(account.id, code)
    assert (codes(account)[1] == 1) is row.used


def test_a_deleted_media_leaves_no_row_and_no_other_is_touched(account, upload):
    code, kept = upload(), upload()
    for each in (code, kept):
        db.session.add(MediaFile(bot_id=1, media=each, file_id="f"))
    db.session.commit()
    media_list.remove(account.id, code)
    assert codes(account) == ([kept], 1)
    assert db.session.scalars(select(MediaFile.media)).all() == [kept]
    assert db.session.scalar(select(func.count()).select_from(MediaPart)) == 1
    with pytest.raises(NotFound):
        media_list.remove(account.id, code)


def test_anothers_media_is_not_found(account, other, upload):
    code = upload(owner=other.id)
    with pytest.raises(NotFound):
        media_list.remove(account.id, code)
    assert codes(other) == ([code], 1)
