"""Whoever waits for a client's body gives its turn away, and half a body is none."""

import io
import sys
import threading
import time

import pytest
from werkzeug.exceptions import ClientDisconnected
from werkzeug.test import EnvironBuilder, run_wsgi_app
from werkzeug.wrappers import Request, Response

from app.web.request_slots import RequestSlots, slot_released
from app.web.shares.body_pieces import TooManyPieces
from app.web.shares.fair_slots import ThreadShares


class Slow:
    """A body that comes when `arrived` is set."""

    def __init__(self) -> None:
        self.asked, self.arrived = threading.Event(), threading.Event()

    def read(self, size: int) -> bytes:
        self.asked.set()
        assert self.arrived.wait(60)
        return b"slow"[:size]


def echo(environ, start_response):
    request = Request(environ)
    request.max_content_length = 1000
    return Response(request.get_data())(environ, start_response)


def call(application, source, length, address="192.0.2.1") -> bytes:
    environ = EnvironBuilder(method="POST").get_environ() | {"REMOTE_ADDR": address}
    environ.update({"wsgi.input": source, "wsgi.input_terminated": True, "SERVER_PORT": "0"})
    environ.pop("CONTENT_LENGTH", None)
    if length is not None:
        environ["CONTENT_LENGTH"] = str(length)
    return b"".join(run_wsgi_app(application, environ)[0])


def test_others_are_answered_while_one_waits_for_its_body():
    application, slow, answers = RequestSlots(echo, 60.0, slots=1), Slow(), []
    waiting = threading.Thread(target=lambda: answers.append(call(application, slow, 4)))
    waiting.start()
    assert slow.asked.wait(60)
    assert call(application, io.BytesIO(b"fast"), 4) == b"fast"
    slow.arrived.set()
    waiting.join(60)
    assert answers == [b"slow"]


def test_only_so_many_work_at_the_same_time():
    inside, most, gate = [], [], threading.Event()

    def work(environ, start_response):
        inside.append(1)
        most.append(len(inside))
        if len(most) == 2:
            gate.set()
        assert gate.wait(60)
        inside.pop()
        return Response(b"")(environ, start_response)

    application = RequestSlots(work, 60.0, slots=2)
    threads = [
        threading.Thread(target=call, args=(application, io.BytesIO(), 0, f"192.0.2.{number}"))
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(most) == 8
    assert max(most) == 2


def test_a_turn_comes_back_whatever_happens():
    def fail(_environ, _start_response):
        raise RuntimeError("broken")

    application = RequestSlots(fail, 60.0, slots=1)
    for _ in range(3):
        with pytest.raises(RuntimeError, match="broken"):
            call(application, io.BytesIO(), 0)


@pytest.mark.parametrize("length", [5, 100])
def test_a_body_that_ends_too_early_is_no_body(length):
    with pytest.raises(ClientDisconnected):
        call(RequestSlots(echo, 60.0), io.BytesIO(b"half"), length)


@pytest.mark.parametrize(("body", "length"), [(b"", 0), (b"all", 3), (b"unsaid", None)])
def test_a_whole_body_comes_whole(body, length):
    assert call(RequestSlots(echo, 60.0), io.BytesIO(body), length) == body


def test_what_belongs_to_the_next_request_is_not_read():
    source = io.BytesIO(b"minetheirs")
    body = []

    def read_twice(environ, start_response):
        body.append(environ["wsgi.input"].read(4))
        body.append(environ["wsgi.input"].read())
        return Response(b"")(environ, start_response)

    call(RequestSlots(read_twice, 60.0), source, 4)
    assert body == [b"mine", b""]
    assert source.read() == b"theirs"


@pytest.mark.skipif(sys.platform != "linux", reason="others do not count a thread's waits")
def test_a_body_in_very_many_pieces_is_refused_and_ends_its_connection():
    class Dripping(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            for _ in range(size):
                time.sleep(0.000_01)  # woken for each byte
            return b"x" * size

    def answer(environ, start_response):
        with pytest.raises(TooManyPieces):
            environ["wsgi.input"].read()
        return Response(b"")(environ, start_response)

    environ = EnvironBuilder(method="POST").get_environ() | {"SERVER_PORT": "0"}
    environ.pop("CONTENT_LENGTH", None)
    environ |= {"wsgi.input": Dripping(), "HTTP_TRANSFER_ENCODING": "chunked"}
    _, _, answered = run_wsgi_app(RequestSlots(answer, 60.0), environ)
    assert answered.getlist("Connection") == ["close"]


def test_others_are_answered_while_one_waits_for_a_server():
    waits, goes_on, answers = threading.Event(), threading.Event(), []

    def ask(environ, start_response):
        if environ["CONTENT_LENGTH"] == "0":
            with slot_released():
                waits.set()
                assert goes_on.wait(60)
        return Response(b"ok")(environ, start_response)

    application = RequestSlots(ask, 60.0, slots=1)
    waiting = threading.Thread(target=lambda: answers.append(call(application, io.BytesIO(), 0)))
    waiting.start()
    assert waits.wait(60)
    assert call(application, io.BytesIO(), 1) == b"ok"
    goes_on.set()
    waiting.join(60)
    assert answers == [b"ok"]
    assert call(application, io.BytesIO(), 1) == b"ok", "exactly one turn came back"


def test_a_quarter_of_the_threads_is_left_to_others_and_no_body_is_read():
    """As many as may be there wait for their bodies; one more is refused at once, unread."""
    slow = [Slow() for _ in range(3)]
    echoing = RequestSlots(echo, 60.0, threads=4)
    threads = [
        threading.Thread(target=call, args=(echoing, body, 4, f"192.0.2.{number}"))
        for number, body in enumerate(slow)
    ]
    for thread in threads:
        thread.start()
    try:
        assert all(body.asked.wait(60) for body in slow)
        beyond = Slow()
        answer = get(echoing, "/api/profile/info.json", beyond)
        assert b'"rate"' in answer
        assert b'"retry_after":1' in answer
        assert not beyond.asked.is_set()
        assert b'"ok"' in get(echoing, "/healthz", beyond), "whether it lives may be asked"
    finally:
        for body in slow:
            body.arrived.set()
        for thread in threads:
            thread.join(60)
    assert echoing._places._free == 3


def get(application, path, source) -> bytes:
    environ = EnvironBuilder(path=path).get_environ()
    environ.update({"wsgi.input": source, "SERVER_PORT": "0", "CONTENT_LENGTH": "4"})
    return b"".join(run_wsgi_app(application, environ)[0])


@pytest.mark.parametrize(
    ("headers", "reads", "closes"),
    [
        ({"CONTENT_LENGTH": "4"}, (), True),
        ({"CONTENT_LENGTH": "4"}, (2,), True),
        ({"CONTENT_LENGTH": "4"}, (4,), False),
        ({"CONTENT_LENGTH": "0"}, (), False),
        ({"HTTP_TRANSFER_ENCODING": "chunked"}, (), True),
        ({"HTTP_TRANSFER_ENCODING": "chunked"}, (4,), True),
        ({"HTTP_TRANSFER_ENCODING": "chunked"}, (4, 4), False),
        ({}, (), False),
    ],
    ids=str,
)
def test_an_answer_before_the_whole_body_says_that_the_connection_ends(headers, reads, closes):
    def answer(environ, start_response):
        for size in reads:
            environ["wsgi.input"].read(size)
        start_response("405 METHOD NOT ALLOWED", [("Content-Length", "0")])
        return [b""]

    environ = EnvironBuilder(method="POST").get_environ() | {"SERVER_PORT": "0"}
    environ.pop("CONTENT_LENGTH", None)
    environ |= {"wsgi.input": io.BytesIO(b"slow"), **headers}
    _, _, answered = run_wsgi_app(RequestSlots(answer, 60.0), environ)
    assert answered.getlist("Connection") == ["close"] * closes


@pytest.mark.parametrize(("length", "closes"), [("4", True), ("0", False)])
def test_a_refusal_reads_no_body_and_ends_the_connection_where_there_is_one(length, closes):
    slots = RequestSlots(echo, 60.0)
    slots._places = ThreadShares(0)
    source = io.BytesIO(b"slow")
    environ = EnvironBuilder(method="POST").get_environ() | {"SERVER_PORT": "0"}
    environ |= {"wsgi.input": source, "CONTENT_LENGTH": length}
    _, status, answered = run_wsgi_app(slots, environ)
    assert status.startswith("429")
    assert answered.getlist("Connection") == ["close"] * closes
    assert source.tell() == 0
