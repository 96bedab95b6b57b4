"""A double is served from a thread of its own, and may be stopped and started again."""

import socket
import threading

import pytest
import requests

from app.sandbox.serving import running
from app.sandbox.vendors.tracker import TrackerDouble


def test_it_serves_while_the_block_lasts_and_no_longer(session):
    with running(TrackerDouble()) as url:
        assert session.get(f"{url}/ok", timeout=60).ok
    with pytest.raises(requests.ConnectionError):
        session.get(f"{url}/ok", timeout=60)
    assert "sandbox" not in [thread.name for thread in threading.enumerate() if thread.is_alive()]


def test_what_was_heard_survives_a_restart(session):
    tracker = TrackerDouble()
    for _ in range(2):
        with running(tracker) as url:
            session.get(f"{url}/ok", timeout=60)
    assert len(tracker.log()) == 2


def test_a_taken_port_is_an_error():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="address"):
            running(TrackerDouble(), port=taken.getsockname()[1]).__enter__()
