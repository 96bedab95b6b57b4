"""A store that fails in the middle of an object, or that was set up wrong: its message waits."""

import contextlib
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from app.cli import doctor
from app.models import MessageState
from app.outbound import object_store
from app.outbound.object_store import ObjectStore, StoreUnreachable
from tests.app.services.messages.test_media_store import (  # noqa: F401 - fixtures
    MP4,
    film,
    send,
    server,
    stage,
    states,
    telegram,
    whose,
)  # fmt: skip

ONE_WAITS = {MessageState.SENT: 4, MessageState.WAITING: 1}


@contextlib.contextmanager
def failing(pause: float, pieces: int, *, says_length: bool = True) -> Iterator[str]:
    """A store that says so much of an object, byte after byte, and then closes."""
    stop = threading.Event()

    class Half(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            if says_length:
                self.send_header("Content-Length", str(len(MP4)))
            self.end_headers()
            with contextlib.suppress(OSError):
                for _ in range(pieces):
                    self.wfile.write(b"x")
                    if stop.wait(pause):
                        break

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Half) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"s3://bucket?region=x&endpoint=http://127.0.0.1:{running.server_port}"
        stop.set()
        running.shutdown()
        thread.join()


@pytest.fixture
def five(whose, film):  # noqa: F811
    stage(whose, 1, film)
    for chat in range(2, 6):
        stage(whose, chat, None)


@pytest.mark.parametrize(("pause", "pieces"), [(0.0, 100), (1.0, 2)])
def test_an_object_that_breaks_off_is_not_gone(five, change_settings, monkeypatch, pause, pieces):
    """It closes, or falls silent, half-way: nobody is welcomed without the picture for that."""
    monkeypatch.setattr(object_store, "READ_SECONDS", 0.3)
    with failing(pause, pieces) as url:
        change_settings(media_store=url)
        send()
    assert states() == ONE_WAITS


def test_an_object_whose_length_is_not_told_is_read_to_its_end(server):  # noqa: F811
    with failing(0.0, 3, says_length=False) as url:
        assert ObjectStore(url).get("x", 100) == b"xxx"


def test_an_object_that_trickles_is_given_up(server, monkeypatch):  # noqa: F811
    monkeypatch.setattr(object_store, "FETCH_SECONDS", 0.5)
    with failing(0.05, 1000) as url:
        began = time.monotonic()
        with pytest.raises(StoreUnreachable, match="longer than"):
            ObjectStore(url).get("x", len(MP4) + 1)
        assert time.monotonic() - began < 20


@pytest.mark.parametrize("wrong", ["profile", "region"])
def test_what_the_library_does_not_take_keeps_nobody_else_waiting(
    five, client, change_settings, monkeypatch, wrong
):
    if wrong == "profile":
        monkeypatch.setenv("AWS_PROFILE", "nobody")
    change_settings(media_store=f"s3://bucket?region={'x_y' if wrong == 'region' else 'x'}")
    send()
    assert states() == ONE_WAITS
    assert "gatepost_media_store_up 0.0" in client.get("/metrics").get_data(as_text=True)
    assert not next(check for check in doctor.run() if check.name == "media store").ok
