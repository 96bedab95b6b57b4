"""How the tracker double answers and fails: one mode for each way."""

import socket
from urllib.parse import urlsplit

import pytest

from app.sandbox.vendors import tracker_modes
from app.sandbox.vendors.tracker_modes import Mode, mode_of, read_mode


def raw(tracker, path, *, least=0, most=1 << 20, ends=False):
    """Return what comes over the wire until it closes or is enough, and how it ended.

    Once `least` bytes are here, 0.3 s of silence end it too, unless it `ends` by itself.
    """
    port = urlsplit(tracker.url).port
    got = bytearray()
    with socket.create_connection(("127.0.0.1", port)) as link:
        link.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        try:
            while len(got) < most:
                link.settimeout(0.3 if len(got) >= least and not ends else 30)
                piece = link.recv(65536)
                if not piece:
                    break
                got += piece
        except TimeoutError:
            return bytes(got), "open"
        except ConnectionResetError:
            return bytes(got), "reset"
    return bytes(got), "closed" if len(got) < most else "open"


def test_flaky_counts_each_full_url(tracker, session):
    def status(query):
        return session.get(f"{tracker.url}/flaky/2/pb?{query}", timeout=60).status_code

    assert [status("a") for _ in range(3)] == [500, 500, 200]
    assert status("b") == 500


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/dead", 500),
        ("/gone/x", 410),
        ("/status/418?x", 418),
        ("/status/204", 204),
        ("/liar", 200),
        ("/anything", 200),
    ],
)
def test_plain_answers(tracker, session, path, status):
    assert session.get(tracker.url + path, timeout=60).status_code == status


def test_a_liar_says_200_and_means_no(tracker, session):
    assert session.get(f"{tracker.url}/liar", timeout=60).json()["status"] == "error"


def test_redirects_and_waits_say_where_and_how_long(tracker, session):
    away = session.get(
        f"{tracker.url}/redirect?to=http://127.0.0.1:1/", allow_redirects=False, timeout=5
    )
    assert (away.status_code, away.headers["Location"]) == (302, "http://127.0.0.1:1/")
    later = session.get(f"{tracker.url}/slow-down?seconds=86400", timeout=60)
    assert (later.status_code, later.headers["Retry-After"]) == (429, "86400")


@pytest.mark.parametrize(
    ("path", "begins", "end"),
    [
        ("/hang", b"", "open"),
        ("/hang-after-headers", b"HTTP/1.1 200", "open"),
        ("/drip", b"HTTP/1.1 200", "open"),
        ("/endless", b"HTTP/1.1 200", "open"),
        ("/reset", b"HTTP/1.1 200", "reset"),
        ("/half-close", b"HTTP/1.1 200", "closed"),
        ("/huge-header", b"HTTP/1.1 200", "open"),
    ],
)
def test_evil_modes(tracker, path, begins, end):
    got, how = raw(tracker, path, least=len(begins), ends=end != "open")
    assert got.startswith(begins)
    assert how == end


def test_a_gzip_bomb_is_small_on_the_wire(tracker):
    got, _ = raw(
        tracker, "/gzip-bomb", least=len(tracker_modes.bomb()), most=len(tracker_modes.bomb())
    )
    assert b"Content-Encoding: gzip" in got
    assert len(tracker_modes.bomb()) < 200_000


def test_numbers_of_modes_are_read():
    assert read_mode("flaky/12").number == 12
    assert read_mode("/status/503/more").number == 503
    assert read_mode("slow-down?seconds=9").number == 9


def test_a_path_that_names_no_mode_is_ok():
    assert mode_of("/postback?click=1") == Mode("ok")
    assert mode_of("/flaky/3/postback?click=1") == Mode("flaky", 3)
