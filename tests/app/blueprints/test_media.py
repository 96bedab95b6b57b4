"""Pictures and films are judged by what they are."""

import io
import struct

import pytest
from PIL import Image
from sqlalchemy import select

from app.domain.media import limits as rules
from app.extensions import db
from app.models import Media
from app.services.campaigns import media

MP4 = struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0)


def picture(width=20, height=10, form="PNG"):
    out = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(out, form)
    return out.getvalue()


@pytest.fixture
def upload(client, account):
    def upload(content, name="a.bin", type_="application/x-lie"):
        head = (
            f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            f"Content-Type: {type_}\r\n\r\n"
        )
        answer = client.post(
            "/api/media/upload.json",
            data=head.encode() + content + b"\r\n--edge--\r\n",
            content_type="multipart/form-data; boundary=edge",
            headers={"Authorization": f"Bearer {account.key}"},
        )
        assert answer.status_code == 200
        return answer.get_json()

    return upload


@pytest.mark.parametrize(
    ("content", "begins", "type_"),
    [
        (picture(), "img_", "image/png"),
        (picture(form="JPEG"), "img_", "image/jpeg"),
        (picture(form="WEBP"), "img_", "image/webp"),
        (MP4 + b"x" * 100, "vid_", "video/mp4"),
    ],
)
def test_the_type_is_what_the_content_says(upload, content, begins, type_):
    code = upload(content, name="song.mp3", type_="audio/mpeg")["data"]["media"]
    assert code.startswith(begins)
    stored = media.find(db.session.connection(), code).content()
    assert (stored.type, stored.data) == (type_, content)


def test_the_same_file_has_the_same_code_in_one_account(upload, other):
    first = upload(picture())
    assert upload(picture()) == first
    foreign = media.upload(other.id, io.BytesIO(picture()))
    assert foreign != first["data"]["media"]


def test_several_megabytes_come_back_whole(upload):
    content = MP4 + bytes(range(256)) * 10_000
    code = upload(content)["data"]["media"]
    assert media.find(db.session.connection(), code).content().data == content


@pytest.mark.parametrize(
    ("content", "code", "word"),
    [
        (b"", "param", "neither"),
        (b"GIF89a" + b"\0" * 50, "param", "neither"),
        (b"\x89PNG\r\n\x1a\n cut", "param", "neither"),
        (picture()[:-30], "param", "neither"),
        (picture(5001, 5000, "JPEG"), "param", "together"),
        (picture(210, 10), "param", "times"),
        (picture(form="JPEG") + b"\0" * rules.PHOTO_BYTES, "size", "10 MB"),
        (MP4[:8] + b"qt  " + MP4[12:], "param", "neither"),
        (MP4 + b"\0" * (rules.VIDEO_BYTES + 1), "size", "MB"),
        (MP4 + b"\0" * (rules.VIDEO_BYTES + 2**20), "size", "large"),
    ],
)
def test_what_telegram_would_not_take_is_refused_with_the_reason(upload, content, code, word):
    answer = upload(content)
    assert (answer["status"], answer["error"]) == ("error", code)
    assert word in answer["message"]
    assert db.session.scalar(select(Media.id)) is None


def test_without_a_file_it_is_named(api):
    assert api.post("media/upload", file="text")["field"] == "file"


def test_an_account_keeps_only_so_much(upload, monkeypatch):
    monkeypatch.setattr(media, "QUOTA", 100)
    assert upload(MP4)["status"] == "ok"
    assert upload(MP4 + b"x" * 100)["error"] == "size"


def test_a_campaign_takes_media_of_its_own_account_only(api, upload, world, other):
    campaign = world.campaign()
    code = upload(picture())["data"]["media"]
    assert api.post("camp/edit", id=campaign, media=code) == {"status": "ok"}
    assert api.get("camp/get", id=campaign)["data"]["media"] == code
    foreign = media.upload(other.id, io.BytesIO(MP4))
    for wrong in (foreign, "img_nothing"):
        assert api.post("camp/edit", id=campaign, media=wrong)["field"] == "media"
    assert api.post("camp/edit", id=campaign, welcome="x" * 1025)["field"] == "welcome"
    assert api.post("camp/edit", id=campaign, media="") == {"status": "ok"}
    assert api.post("camp/edit", id=campaign, welcome="x" * 1025) == {"status": "ok"}


def test_media_are_listed_newest_first_with_what_shows_them(api, upload, world, other):
    codes = [upload(picture(width))["data"]["media"] for width in (20, 30, 40)]
    media.upload(other.id, io.BytesIO(MP4))
    world.campaign(media=codes[0])
    world.campaign(media=codes[1], status=2)
    answer = api.get("media/list")
    assert answer["total"] == 3
    assert [(row["media"], row["used"]) for row in answer["data"]] == [
        (codes[2], False), (codes[1], False), (codes[0], True)
    ]  # fmt: skip
    assert (answer["data"][0]["type"], answer["data"][0]["size"]) == (
        "image/png",
        len(picture(40)),
    )
    behind = api.get("media/list", before=codes[2], limit=1)["data"]
    assert [row["media"] for row in behind] == [codes[1]]
    assert api.get("media/list", before="img_nothing")["error"] == "notfound"
    assert api.get("media/list", to=1) == {"status": "ok", "total": 0, "data": []}


def test_a_deleted_media_makes_room_and_can_be_uploaded_again(api, upload, monkeypatch):
    monkeypatch.setattr(media, "QUOTA", 100)
    code = upload(MP4 + b"x" * 60)["data"]["media"]
    assert upload(MP4 + b"y" * 60)["error"] == "size"
    assert api.post("media/del", media=code) == {"status": "ok"}
    assert api.post("media/del", media=code)["error"] == "notfound"
    assert media.find(db.session.connection(), code) is None
    assert upload(MP4 + b"x" * 60)["status"] == "ok"
