"""Whoever waits for a client's body gives its turn away, and half a body is none."""

from __future__ import annotations

import io
import threading

import pytest
from werkzeug.exceptions import ClientDisconnected
from werkzeug.test import EnvironBuilder, run_wsgi_app
from werkzeug.wrappers import Request, Response

from app.web.request_slots import RequestSlots, slot_released


class Slow:
    """A body that comes when `arrived` is set."""

    def __init__(self) -> None:
        self.asked, self.arrived = threading.Event(), threading.Event()

    def read(self, size: int) -> bytes:
        self.asked.set()
        assert self.arrived.wait(10)
        return b"slow"[:size]


def echo(environ, start_response):
    request = Request(environ)
    request.max_content_length = 1000
    return Response(request.get_data())(environ, start_response)


def call(application, source, length) -> bytes:
    environ = EnvironBuilder(method="POST").get_environ()
    environ.update({"wsgi.input": source, "wsgi.input_terminated": True, "SERVER_PORT": "0"})
    environ.pop("CONTENT_LENGTH", None)
    if length is not None:
        environ["CONTENT_LENGTH"] = str(length)
    return b"".join(run_wsgi_app(application, environ)[0])


def test_others_are_answered_while_one_waits_for_its_body():
    application, slow, answers = RequestSlots(echo, 60.0, slots=1), Slow(), []
    waiting = threading.Thread(target=lambda: answers.append(call(application, slow, 4)))
    waiting.start()
    assert slow.asked.wait(10)
    assert call(application, io.BytesIO(b"fast"), 4) == b"fast"
    slow.arrived.set()
    waiting.join(10)
    assert answers == [b"slow"]


def test_only_so_many_work_at_the_same_time():
    inside, most, gate = [], [], threading.Event()

    def work(environ, start_response):
        inside.append(1)
        most.append(len(inside))
        if len(most) == 2:
            gate.set()
        assert gate.wait(10)
        inside.pop()
        return Response(b"")(environ, start_response)

    application = RequestSlots(work, 60.0, slots=2)
    threads = [threading.Thread(target=call, args=(application, io.BytesIO(), 0)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
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


def test_others_are_answered_while_one_waits_for_a_server():
    waits, goes_on, answers = threading.Event(), threading.Event(), []

    def ask(environ, start_response):
        if environ["CONTENT_LENGTH"] == "0":
            with slot_released():
                waits.set()
                assert goes_on.wait(10)
        return Response(b"ok")(environ, start_response)

    application = RequestSlots(ask, 60.0, slots=1)
    waiting = threading.Thread(target=lambda: answers.append(call(application, io.BytesIO(), 0)))
    waiting.start()
    assert waits.wait(10)
    assert call(application, io.BytesIO(), 1) == b"ok"
    goes_on.set()
    waiting.join(10)
    assert answers == [b"ok"]
    assert call(application, io.BytesIO(), 1) == b"ok", "exactly one turn came back"


def test_a_quarter_of_the_threads_is_left_to_others_and_no_body_is_read(app):
    """As many as may be there wait for their bodies; one more is refused at once, unread."""
    slow = [Slow() for _ in range(3)]
    application = RequestSlots(app.wsgi_app.others, 60.0, threads=4)
    echoing = RequestSlots(echo, 60.0, threads=4)
    application._lock, application._slots = echoing._lock, echoing._slots
    threads = [threading.Thread(target=call, args=(echoing, body, 4)) for body in slow]
    for thread in threads:
        thread.start()
    try:
        assert all(body.asked.wait(10) for body in slow)
        application._count = echoing._count
        beyond = Slow()
        answer = get(application, "/api/profile/info.json", beyond)
        assert b'"rate"' in answer
        assert b'"retry_after":1' in answer
        assert not beyond.asked.is_set()
        assert b'"ok"' in get(application, "/healthz", beyond), "whether it lives may be asked"
    finally:
        for body in slow:
            body.arrived.set()
        for thread in threads:
            thread.join(10)
    assert echoing._count == 0


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
@pytest.mark.parametrize("is_refused", [False, True], ids=["answered", "refused"])
def test_an_answer_before_the_whole_body_says_that_the_connection_ends(
    headers, reads, closes, is_refused
):
    def answer(environ, start_response):
        for size in reads:
            environ["wsgi.input"].read(size)
        start_response("405 METHOD NOT ALLOWED", [("Content-Length", "0")])
        return [b""]

    environ = EnvironBuilder(method="POST").get_environ() | {"SERVER_PORT": "0"}
    environ.pop("CONTENT_LENGTH", None)
    environ |= {"wsgi.input": io.BytesIO(b"slow"), **headers}
    slots = RequestSlots(answer, 60.0, threads=512)
    if is_refused:
        slots._most = 0
    _, _, answered = run_wsgi_app(slots, environ)
    assert answered.getlist("Connection") == ["close"] * closes
