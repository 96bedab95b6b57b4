"""The tracker double: its log, its counters, its modes by prefix, its controls."""

import socket
import time
from urllib.parse import urlsplit

import pytest
import requests


def test_a_request_is_logged_as_it_came(tracker, session):
    url = f"{tracker.url}/ok/p%C3%A4th?click=a%26b&empty=&status=wait"
    answer = session.post(url, data=b"body", headers={"Idempotency-Key": "k"}, timeout=60)
    assert (answer.status_code, answer.text) == (200, "OK")
    (hit,) = tracker.log()
    assert (hit.method, hit.path, hit.body, hit.status) == ("POST", "/ok/päth", b"body", 200)
    assert hit.query == {"click": "a&b", "empty": "", "status": "wait"}
    assert hit.idempotency_key == "k"


def test_an_answer_is_in_the_log_before_it_is_read(tracker, session):
    for number in range(200):
        session.get(f"{tracker.url}/pb?n={number}", timeout=60)
        assert len(tracker.log()) == number + 1
    assert (tracker.counters.accepts, tracker.counters.requests, tracker.counters.in_flight) == (
        1,
        200,
        0,
    )


def test_a_mode_can_be_changed_and_healed(tracker, session):
    def status(path):
        return session.get(tracker.url + path, timeout=60).status_code

    tracker.set_mode("/dead", "ok")
    tracker.set_mode("/dead/still", "gone")
    assert (status("/dead/a"), status("/dead/still")) == (200, 410)
    tracker.set_mode("/dead", None)
    assert status("/dead/a") == 500


def test_a_mode_that_does_not_exist_is_named(tracker):
    with pytest.raises(ValueError, match="gzip-bomb"):
        tracker.set_mode("/x", "sleepy")


def test_it_counts_what_is_open_at_once(tracker):
    links = []
    for number in range(3):
        link = socket.create_connection(("127.0.0.1", urlsplit(tracker.url).port))
        link.sendall(f"GET /hang?{number} HTTP/1.1\r\n\r\n".encode())
        links.append(link)
    tracker.wait_for(3)
    assert (tracker.counters.in_flight, tracker.counters.peak) == (3, 3)
    for link in links:
        link.close()
    while tracker.counters.in_flight:
        time.sleep(0.001)


def test_pipelined_requests_are_answered_in_order(tracker):
    with socket.create_connection(("127.0.0.1", urlsplit(tracker.url).port), 5) as link:
        link.sendall(b"GET /status/201 HTTP/1.1\r\n\r\nGET /status/202 HTTP/1.1\r\n\r\n")
        got = b""
        while got.count(b"as you wish") < 2:
            got += link.recv(65536)
    assert got.index(b" 201 ") < got.index(b" 202 ")


def test_other_processes_drive_it_over_http(tracker):
    base = f"{tracker.url}/sandbox"
    with requests.Session() as session:
        session.post(f"{base}/mode", json={"prefix": "/x", "mode": "gone"}, timeout=60)
        assert session.get(f"{tracker.url}/x", timeout=60).status_code == 410
        wrong = session.post(f"{base}/mode", json={"prefix": "/x", "mode": "?"}, timeout=60)
        assert wrong.status_code == 400
        assert [hit["status"] for hit in session.get(f"{base}/log", timeout=60).json()] == [410]
        assert session.get(f"{base}/counters", timeout=60).json()["requests"] == 1
        assert session.get(f"{base}/reset", timeout=60).json() is True
        assert session.get(f"{base}/log", timeout=60).json() == []


@pytest.mark.parametrize(
    "junk", [b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n"]
)
def test_junk_does_not_break_it(tracker, session, junk):
    with socket.create_connection(("127.0.0.1", urlsplit(tracker.url).port), 5) as link:
        link.sendall(junk)
        link.shutdown(socket.SHUT_WR)
        link.recv(1000)
    assert session.get(f"{tracker.url}/ok", timeout=60).ok
