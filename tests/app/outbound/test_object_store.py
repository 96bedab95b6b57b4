"""Objects in an S3-compatible store, against a real server on loopback."""

import io

import pytest

from app.outbound.object_store import ObjectStore, StoreUnreachable
from tests.support.object_store import BUCKET, running_object_server


@pytest.fixture(scope="module")
def server():
    with running_object_server() as running:
        yield running


@pytest.fixture
def store(server) -> ObjectStore:
    server.empty()
    return ObjectStore(server.url)


@pytest.fixture
def absent() -> ObjectStore:
    """A store that nobody answers for."""
    return ObjectStore(f"s3://{BUCKET}?region=x&endpoint=http://127.0.0.1:1")


def test_an_object_comes_back_as_it_was_put_below_the_prefix(store, server):
    file = io.BytesIO(b"content")
    file.read()  # wherever it stands, the whole of it is kept
    store.put("a/b", file, "video/mp4")
    assert store.get("a/b", 100) == b"content"
    assert server.names() == ["gate post/a/b"]


def test_no_more_is_read_than_asked_for(store):
    store.put("a", io.BytesIO(b"content"), "text/plain")
    assert store.get("a", 3) == b"con"


def test_what_is_gone_is_none_and_may_be_deleted_again(store):
    store.put("a", io.BytesIO(b"content"), "text/plain")
    for _ in range(2):
        store.delete("a")
        assert store.get("a", 100) is None


def test_a_working_store_passes_its_check_and_keeps_nothing_of_it(store, server):
    store.check()
    assert store.answers()
    assert server.names() == []


def test_a_missing_bucket_does_not_answer(server):
    url = server.url.replace(BUCKET, "another-bucket")
    assert not ObjectStore(url).answers()
    with pytest.raises(StoreUnreachable, match="NoSuchBucket"):
        ObjectStore(url).put("a", io.BytesIO(b"x"), "text/plain")


def test_a_store_that_is_not_there_is_named_without_secrets(absent):
    with pytest.raises(StoreUnreachable) as caught:
        absent.get("a", 1)
    assert "secret" not in str(caught.value)
    assert not absent.answers()
