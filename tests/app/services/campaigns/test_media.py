"""Media in an object store: a real S3 server keeps them, the database knows of them."""

import hashlib
import io
import sys

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.blueprints.health import SCRAPED
from app.cli import doctor
from app.config import BadSetting
from app.errors import TooManyRequests
from app.extensions import db
from app.models import Media, MediaPart
from app.outbound import object_store
from app.outbound.object_store import ObjectStore, StoreUnreachable
from app.services.accounts import rate_limits
from app.services.accounts.rate_limits import Limit
from app.services.campaigns import media, media_list
from tests.support.object_store import BUCKET, running_object_server, silent_server

MP4 = b"\0\0\0\x10ftypisom\0\0\0\0"
AWAY = f"s3://{BUCKET}?region=x&endpoint=http://127.0.0.1:1"


@pytest.fixture(scope="module")
def server():
    with running_object_server() as running:
        yield running


@pytest.fixture
def store(app, server, change_settings):
    server.empty()
    change_settings(media_store=server.url)
    return server


@pytest.fixture
def other(make_account):
    return make_account()


def kept(code):
    found = media.find(db.session.connection(), code)
    return found.content() if found else None


def film(content):
    """A multipart body with one file."""
    head = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="film.mp4"\r\n\r\n'
    body = head + content + b"\r\n--edge--\r\n"
    return {"data": body, "content_type": "multipart/form-data; boundary=edge"}


def upload(account, content=MP4):
    return media.upload(account.id, io.BytesIO(content))


def test_an_upload_by_the_api_is_an_object_and_no_part_of_the_database(store, client, account):
    content = MP4 + bytes(range(256)) * 20_000
    answer = client.post(
        "/api/media/upload.json",
        **film(content),
        headers={"Authorization": f"Bearer {account.key}"},
    ).get_json()
    code = answer["data"]["media"]
    assert store.names() == [f"gate post/{code}"]
    assert db.session.scalar(select(MediaPart.media_id)) is None
    assert kept(code) == media.MediaContent("video/mp4", content)


def test_the_same_file_is_kept_once_for_an_account(store, account, other):
    codes = {upload(account), upload(account), upload(other)}
    assert len(codes) == 2
    assert len(store.names()) == 2


def row(account_id, code, content):
    digest = hashlib.sha256(content).hexdigest()
    terms = {"type": "video/mp4", "size": len(content), "digest": digest, "created": 1}
    return Media(account_id=account_id, code=code, **terms)


def test_uploads_are_counted_by_the_megabyte_also_those_that_are_deleted(
    app, account, other, monkeypatch
):
    monkeypatch.setattr(rate_limits, "UPLOADS", Limit("test-uploads", per_minute=60, burst=4))
    first = upload(account, MP4 + b"1" * 2_000_000)
    assert upload(account, MP4 + b"1" * 2_000_000) == first  # nothing new is stored
    media_list.remove(account.id, first)
    upload(account, MP4 + b"2" * 1_000_000)
    with pytest.raises(TooManyRequests) as refused:
        upload(account, MP4 + b"3" * 2_000_000)
    assert refused.value.extra["retry_after"] == 1
    upload(account, MP4 + b"4" * 1_000_000)
    upload(other, MP4 + b"3" * 2_000_000)


def test_of_two_uploads_of_one_file_at_the_same_time_one_remains(store, account):
    class Overtaken(ObjectStore):
        def put(self, key, content, type_):
            super().put(key, content, type_)
            db.session.add(row(account.id, "vid_other", MP4))
            db.session.commit()

    code = media._put(Overtaken(store.url), row(account.id, "vid_ours", MP4), io.BytesIO(MP4))
    assert code == "vid_other"
    assert store.names() == []


def test_what_the_database_does_not_take_leaves_no_object(store, account):
    undated = row(account.id, "vid_undated", MP4)
    undated.created = None
    with pytest.raises(IntegrityError):
        media._put(ObjectStore(store.url), undated, io.BytesIO(MP4))
    assert store.names() == []


def test_a_deleted_media_leaves_no_object_and_none_is_needed_to_delete(
    store, account, change_settings
):
    code, other = upload(account), upload(account, MP4 + b"x")
    media_list.remove(account.id, code)
    assert store.names() == [f"gate post/{other}"]
    change_settings(media_store=AWAY)
    media_list.remove(account.id, other)
    assert (kept(other), db.session.scalar(select(Media.id))) == (None, None)


def test_what_was_kept_in_the_database_before_is_still_read(store, account, change_settings):
    change_settings(media_store="")
    old = upload(account)
    change_settings(media_store=store.url)
    new = upload(account, MP4 + b"new")
    assert kept(old).data == MP4
    assert upload(account) == old
    assert store.names() == [f"gate post/{new}"]


@pytest.mark.parametrize("change", ["removed", "shorter", "longer"])
def test_an_object_that_is_not_what_was_kept_is_gone(store, account, change):
    code = upload(account)
    if change == "removed":
        store.take_away(f"gate post/{code}")
    else:
        body = MP4[:-1] if change == "shorter" else MP4 + b"more"
        store.client.put_object(Bucket=BUCKET, Key=f"gate post/{code}", Body=body)
    assert kept(code) is None


def test_without_the_store_its_media_are_gone_and_the_others_not(store, account, change_settings):
    code = upload(account)
    change_settings(media_store="")
    assert kept(code) is None
    assert upload(account, MP4 + b"x")


def test_an_unknown_media_is_nothing(store):
    assert kept("vid_nobody") is None


@pytest.mark.parametrize("fault", ["away", "bucket", "silent"])
def test_a_store_that_does_not_answer_is_said_and_nothing_is_half_done(
    store, account, change_settings, monkeypatch, fault
):
    code = upload(account)
    monkeypatch.setattr(object_store, "READ_SECONDS", 0.2)
    with silent_server() as silent:
        wrong = {"away": AWAY, "bucket": store.url.replace(BUCKET, "no-such"), "silent": silent}
        change_settings(media_store=wrong[fault])
        with pytest.raises(media.StoreDown) as told:
            upload(account, MP4 + b"new")
        assert (told.value.code, "store of media" in told.value.message) == ("db", True)
        with pytest.raises(StoreUnreachable):
            kept(code)
        assert upload(account) == code, "what is known needs no store"
    assert db.session.scalars(select(Media.code)).all() == [code]


def test_a_client_is_told_that_the_store_is_away(client, account, change_settings):
    change_settings(media_store=AWAY)
    answer = client.post(
        "/api/media/upload.json",
        **film(MP4),
        headers={"Authorization": f"Bearer {account.key}"},
    )
    assert (answer.status_code, answer.get_json()["error"]) == (200, "db")


def test_nothing_of_it_is_public_and_no_secret_is_told(store, account, server):
    code = upload(account)
    grants = store.client.get_object_acl(Bucket=BUCKET, Key=f"gate post/{code}")["Grants"]
    assert not [one for one in grants if "AllUsers" in str(one)]
    with pytest.raises(StoreUnreachable) as told:
        ObjectStore(AWAY).check()
    assert "secret" not in str(told.value)


def test_one_client_serves_all_that_name_the_same_store(store, server):
    assert object_store.opened(server.url) is object_store.opened(server.url)


def test_the_doctor_tries_the_store(store, change_settings):
    def checked():
        return next(check for check in doctor.run() if check.name == "media store")

    assert checked().ok
    assert store.names() == []
    change_settings(media_store=AWAY)
    assert not checked().ok
    assert "MEDIA_STORE" in checked().advice
    change_settings(media_store=store.url.replace(BUCKET, "no-such"))
    assert "NoSuchBucket" in checked().finding
    change_settings(media_store="")
    assert "database" in checked().finding


def test_the_metrics_tell_whether_the_store_answers(store, client, change_settings):
    def told():
        SCRAPED.forget()
        return client.get("/metrics").get_data(as_text=True)

    assert "gatepost_media_store_up 1.0" in told()
    change_settings(media_store=AWAY)
    assert "gatepost_media_store_up 1.0" not in told()
    change_settings(media_store="")
    assert "media_store" not in told()


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("https://bucket/x", "s3://"),
        ("s3://", "s3://"),
        ("s3://Bucket_", "s3://"),
        ("s3://user:secret@bucket/x", "s3://"),
        ("s3://bucket?acl=public", "acl"),
        ("s3://bucket?endpoint=", "endpoint"),
        ("s3://bucket?endpoint=ftp://x", "http"),
    ],
)
def test_a_wrong_setting_is_named_before_anything_starts(settings, value, word):
    with pytest.raises(BadSetting, match=f"^MEDIA_STORE: .*{word}") as told:
        settings(MEDIA_STORE=value)
    assert "secret" not in str(told.value)


def test_without_the_library_it_is_said_what_to_install(settings, monkeypatch):
    monkeypatch.setitem(sys.modules, "boto3", None)
    monkeypatch.delitem(sys.modules, "boto3")
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "path_importer_cache", {})
    with pytest.raises(BadSetting, match=r"gatepost\[s3\]"):
        settings(MEDIA_STORE="s3://bucket")
