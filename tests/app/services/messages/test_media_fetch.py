"""A content is waited for in small steps, and given up when its time is over."""

import threading

import pytest

from app.outbound.object_store import StoreUnreachable
from app.services.campaigns.media import MediaContent
from app.services.messages.media_fetch import MediaFetch, NotYet

FILM = MediaContent("video/mp4", b"film")


def test_the_content_comes_when_it_has_been_read():
    may_end = threading.Event()

    def read() -> MediaContent:
        may_end.wait(60)
        return FILM

    fetch = MediaFetch(read, 20)
    with pytest.raises(NotYet):
        fetch.content(0.0)
    may_end.set()
    assert fetch.content(20) == FILM
    assert fetch.content(0.0) == FILM


def test_what_is_gone_is_none():
    assert MediaFetch(lambda: None, 20).content(20) is None


def test_a_store_that_cannot_be_reached_says_why():
    def read() -> MediaContent:
        raise StoreUnreachable("it answers 503")

    with pytest.raises(StoreUnreachable, match="503"):
        MediaFetch(read, 20).content(20)


def test_a_store_that_hangs_is_given_up_when_its_time_is_over():
    may_end = threading.Event()
    fetch = MediaFetch(lambda: may_end.wait(60) and None, 0.0)
    with pytest.raises(StoreUnreachable, match="too long"):
        fetch.content(0.0)
    may_end.set()
