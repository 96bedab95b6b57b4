import gzip
import ipaddress
import ssl
import threading
import time
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from app.config import NetworkPort
from app.outbound.curl_handle import NO_SUCH_HOST
from app.outbound.transport import Answer, Failure, Transport
from plugins.contract import Request, outcome_by_status
from plugins.host.validation import MAX_BODY, MAX_HEADER_CHARACTERS, check_request
from plugins.kit.url_spelling import LONGEST
from tests.support.certificates import self_signed
from tests.support.servers import OK, Line, once, polite, serving

LOOPBACK = [ipaddress.ip_network("127.0.0.0/8")]
ONLY_TWO = [ipaddress.ip_network("127.0.0.2/32")]  # "the internet"; 127.0.0.1 is forbidden


def get(url: str, **fields) -> Request:
    return Request("GET", url, **fields)


def send(request: Request, **options) -> Answer:
    options = {"allow": LOOPBACK, "total_seconds": 30.0} | options
    with Transport(**options) as transport:
        (answer,) = transport.exchange([request])
    return answer


def ask(behave, path: str = "/pb", **options) -> Answer:
    with serving(behave) as server:
        return send(get(server.url + path), **options)


# What arrives and what comes back


def test_a_request_arrives_as_described_and_the_answer_comes_back() -> None:
    answer_bytes = b"HTTP/1.1 201 Made\r\nX-One: 1\r\nX-One: 2\r\nContent-Length: 3\r\n\r\nabc"
    with serving(once(answer_bytes)) as server:
        before = time.time()
        request = Request(
            "POST",
            server.url + "/a/../b?x={y}",
            {"Content-Type": "application/json", "X-Empty": ""},
            b'{"a":"\x00"}',
            idempotency_key="k-1",
        )
        answer = send(request)
    assert (answer.tag, answer.failure, answer.was_sent) == (0, None, True)
    assert answer.response
    assert (answer.response.status, answer.response.body) == (201, b"abc")
    assert answer.response.headers == {"x-one": "1, 2", "content-length": "3"}
    assert before <= answer.started <= time.time()
    assert answer.ms >= 0
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /a/../b?x={y} HTTP/1.1"
    assert sorted(line for line in lines[1:] if not line.startswith(b"User-Agent")) == sorted(
        [
            f"Host: {server.host}:{server.port}".encode(),
            b"Accept: */*",
            b"Accept-Encoding: identity",
            b"Content-Type: application/json",
            b"X-Empty:",
            b"Idempotency-Key: k-1",
            b"Content-Length: 9",
        ]
    )
    assert b"User-Agent: Gatepost/" in head
    assert body == b'{"a":"\x00"}'


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_a_handle_carries_nothing_from_one_request_to_the_next(method: str) -> None:
    def behave(line: Line) -> None:
        while line.read():
            line.say(OK)

    with serving(behave) as server, Transport(allow=LOOPBACK) as transport:
        first = Request("POST", server.url + "/1", {"X-Mine": "1"}, b"body", idempotency_key="k")
        second = Request(method, server.url + "/2")
        third = Request("GET", server.url + "/3")
        answers = [*transport.exchange([first, second, third], at_once=1)]
    assert all(answer.response for answer in answers)
    heads = server.requests
    assert heads[1].startswith(f"{method} /2 HTTP/1.1\r\n".encode())
    assert heads[2].startswith(b"GET /3 HTTP/1.1\r\n")
    for head in heads[1:]:
        assert b"X-Mine" not in head
        assert b"Idempotency" not in head
        assert head.endswith(b"\r\n\r\n")


def test_a_get_may_have_a_body_and_a_body_without_type_is_not_called_a_form() -> None:
    with serving(polite) as server:
        assert send(Request("GET", server.url, body=b"abc")).response
    assert server.requests[0].startswith(b"GET / HTTP/1.1")
    assert server.requests[0].endswith(b"\r\n\r\nabc")
    assert b"Content-Type" not in server.requests[0]


def test_letters_beyond_ascii_travel_percent_encoded() -> None:
    with serving(polite) as server:
        assert send(get(server.url + "/é?x=%20{a}")).response
    assert server.requests[0].startswith(b"GET /%C3%A9?x=%20{a} HTTP/1.1")


def test_interim_answers_and_trailers_are_not_the_answer() -> None:
    answer = ask(
        once(
            b"HTTP/1.1 103 Early\r\nX-Early: 1\r\n\r\nHTTP/1.1 200 OK\r\nX-Real: 1\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Late: 1\r\n\r\n"
        )
    )
    assert answer.response
    assert answer.response.status == 200
    assert answer.response.body == b"ok"
    assert answer.response.headers == {"x-real": "1", "transfer-encoding": "chunked"}


def test_an_absurd_retry_after_is_an_answer_like_any_other() -> None:
    head = b"HTTP/1.1 429 Slow\r\nRetry-After: " + b"9" * 400 + b"\r\nContent-Length: 0\r\n\r\n"
    answer = ask(once(head))
    assert answer.response
    assert answer.response.status == 429
    outcome_by_status(answer.response)


# Requests that cannot be sent


@pytest.mark.parametrize(
    "headers",
    [
        {"X": "a\r\nY: b"}, {"X": "a\nb"}, {"X": "a\x00"}, {"X\r\nY": "a"}, {"X Y": "a"}, {"": "a"},
        {"X:": "a"}, {"X": "é"}, {"Host": "internal"}, {"host": "x"}, {"Content-Length": "0"},
        {"Transfer-Encoding": "chunked"}, {"CONNECTION": "close"}, {"Expect": "100-continue"},
        {"Accept-Encoding": "gzip"}, {"Upgrade": "h2c"}, {"TE": "trailers"},
    ],
)  # fmt: skip
def test_headers_cannot_break_out_or_frame_the_message(headers: dict[str, str]) -> None:
    with serving(polite) as server:
        answer = send(get(server.url, headers=headers))
    assert (answer.failure, answer.was_sent) == (Failure.INVALID, False)
    assert server.requests == []


def test_the_largest_request_that_the_border_accepts_arrives_whole() -> None:
    request = Request(
        "PUT",
        "http://a_b.example:{}/" + "a" * (LONGEST - 30),
        {"X-Large": "x" * (MAX_HEADER_CHARACTERS - 7)},
        b"b" * MAX_BODY,
    )
    with serving(polite) as server:
        request = replace(request, url=request.url.format(server.port))
        accepted = check_request(request, None, (), "build_request")
        answer = send(accepted, resolve=[f"*:{server.port}:127.0.0.1"])
    assert answer.response
    (received,) = server.requests
    assert received.startswith(b"PUT /" + b"a" * 100)
    assert b"X-Large: " + b"x" * (MAX_HEADER_CHARACTERS - 7) + b"\r\n" in received
    assert received.endswith(b"b" * MAX_BODY)


@pytest.mark.parametrize("method", ["", "get", "CONNECT", "TRACE", "GET / HTTP/1.1\r\nX: y\r\n"])
def test_only_ordinary_methods_are_sent(method: str) -> None:
    with serving(polite) as server:
        assert send(Request(method, server.url)).failure is Failure.INVALID
    assert server.accepts == 0


def test_a_key_with_a_line_break_is_refused() -> None:
    answer = send(get("http://127.0.0.1:9/", idempotency_key="a\r\nX: y"))
    assert answer.failure is Failure.INVALID


def test_a_refused_request_is_answered_at_the_next_poll_and_spoils_nothing() -> None:
    with serving(polite) as server, Transport(allow=LOOPBACK) as transport:
        transport.start(get("ftp://x/"), "a")
        transport.start(get(server.url + "/\ud800"), "b")
        transport.start(Request("GET", server.url, {"X": 1}), "c")  # type: ignore[dict-item]
        assert transport.in_flight == 3
        assert [answer.tag for answer in transport.poll(0)] == ["a", "b", "c"]
        assert transport.in_flight == 0
        transport.start(get(server.url), "d")
        (answer,) = transport.poll(5)
        assert (answer.tag, answer.reason) == ("d", "HTTP 200")


# The guard


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "0177.0.0.1",
     "127.1", "0", "0.0.0.0", "[::]", "[64:ff9b::7f00:1]", "a@127.0.0.1", "127.0.0.1."],
)  # fmt: skip
def test_no_spelling_of_a_forbidden_address_gets_through(host: str) -> None:
    with serving(polite) as server:
        answer = send(get(f"http://{host}:{server.port}/"), allow=())
    assert (answer.failure, answer.response) == (Failure.BLOCKED, None)
    assert server.accepts == 0


def test_other_schemes_are_refused() -> None:
    for url in ("file:///etc/hostname", "gopher://127.0.0.1:1/_x", "dict://127.0.0.1/", "ws://a/"):
        assert send(get(url)).failure is Failure.BLOCKED


FORBIDDEN_TARGETS = [
    "127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "192.88.99.1", "224.0.0.1", "0.0.0.0",
    "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::127.0.0.1]", "[::ffff:0:127.0.0.1]",
    "[64:ff9b::a00:1]", "[64:ff9b:1::a00:1]",
    "[2002:a00:1::1]", "[2001::1]", "[fe80::1]", "[fc00::1]", "[fec0::1]",
    "[ff02::1]", "[100::1]", "[3fff::1]", "[5f00::1]", "[2001:db8::1]", "[2a00:1450::5efe:a00:1]",
]  # fmt: skip


@pytest.mark.parametrize("target", FORBIDDEN_TARGETS)
def test_a_name_that_leads_to_a_forbidden_address_is_never_connected(target: str) -> None:
    answer = send(
        get("http://innocent.example:8080/"),
        allow=(),
        resolve=[f"innocent.example:8080:{target}"],
    )
    assert answer.failure is Failure.UNREACHABLE
    assert answer.detail.startswith("blocked: ")


def test_a_name_of_our_network_reads_as_one_that_does_not_exist() -> None:
    answers = ["db.test:8080:127.0.0.9,10.0.0.9"]
    answer = send(get("http://db.test:8080/"), allow=(), resolve=answers)
    assert (answer.failure, answer.reason) == (Failure.UNREACHABLE, NO_SUCH_HOST)
    assert answer.detail.startswith("blocked: ")


def test_every_port_of_a_blocked_name_reads_the_same() -> None:
    with serving(polite) as server:
        reasons = {
            send(
                get(f"http://db.test:{port}/"), allow=(), resolve=[f"db.test:{port}:127.0.0.1"]
            ).reason
            for port in (server.port, 8080)
        }
    assert reasons == {NO_SUCH_HOST}
    assert server.accepts == 0


def test_a_name_of_which_one_address_is_blocked_and_one_refuses_could_not_be_connected() -> None:
    answers = ["a.example:8080:127.0.0.1,127.0.0.2"]
    answer = send(get("http://a.example:8080/"), allow=ONLY_TWO, resolve=answers)
    assert answer.reason == "could not connect"


def test_of_mixed_answers_only_the_allowed_address_is_connected() -> None:
    with serving(polite) as forbidden, serving(polite, "127.0.0.2", forbidden.port) as allowed:
        name = f"mixed.example:{forbidden.port}"
        answer = send(
            get(f"http://{name}/"), allow=ONLY_TWO, resolve=[f"{name}:127.0.0.1,127.0.0.2"]
        )
    assert answer.response
    assert (forbidden.accepts, len(allowed.requests)) == (0, 1)
    assert f"Host: {name}".encode() in allowed.requests[0]


def test_of_a_network_only_the_opened_port_is_connected() -> None:
    with serving(polite) as closed, serving(polite) as opened:
        allow = [NetworkPort(ipaddress.ip_network("127.0.0.1"), opened.port)]
        for server, is_open in ((opened, True), (closed, False)):
            name = f"lan.example:{server.port}"
            answer = send(get(f"http://{name}/"), allow=allow, resolve=[f"{name}:127.0.0.1"])
            assert (answer.response is not None) is is_open
    assert (closed.accepts, len(opened.requests)) == (0, 1)


def test_this_machine_is_reached_by_ipv6_where_the_operator_opened_it() -> None:
    with serving(polite, "::1") as server:
        url = f"http://[::1]:{server.port}/"
        assert send(get(url), allow=[ipaddress.ip_network("::1/128")]).response
        assert send(get(url), allow=()).failure is Failure.BLOCKED
    assert server.accepts == 1


def test_a_name_that_changes_its_mind_is_judged_again() -> None:
    with (
        serving(polite) as forbidden,
        serving(
            once(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")),
            "127.0.0.2",
            forbidden.port,
        ),
    ):
        name = f"fickle.example:{forbidden.port}"
        answers = [f"{name}:127.0.0.2"]
        with Transport(allow=ONLY_TWO, resolve=answers) as transport:
            (first,) = transport.exchange([get(f"http://{name}/")])
            answers[:] = [f"{name}:127.0.0.1"]
            (second,) = transport.exchange([get(f"http://{name}/")])
    assert first.response
    assert second.failure is Failure.UNREACHABLE
    assert forbidden.accepts == 0


def test_a_trusted_transport_speaks_to_this_machine() -> None:
    with serving(polite) as server:
        assert send(get(f"http://localhost:{server.port}/"), allow=(), trusted=True).response


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_answers_and_are_not_followed(status: int) -> None:
    with serving(polite) as other:
        head = f"HTTP/1.1 {status} Go\r\nLocation: {other.url}/\r\nContent-Length: 0\r\n\r\n"
        answer = ask(once(head.encode()))
    assert answer.response
    assert answer.response.status == status
    assert other.accepts == 0


def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(polite) as proxy, serving(polite) as server:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        assert send(get(server.url)).response
    assert (proxy.accepts, server.accepts) == (0, 1)


def test_passwords_of_a_netrc_are_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("default login me password planted\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    with serving(polite) as server:
        assert send(get(server.url)).response
    assert b"Authorization" not in server.requests[0]


def test_cookies_are_not_kept() -> None:
    def behave(line: Line) -> None:
        while line.read():
            line.say(OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=b\r\n\r\n"))

    with serving(behave) as server, Transport(allow=LOOPBACK) as transport:
        assert len([*transport.exchange([get(server.url)] * 2, at_once=1)]) == 2
    assert b"Cookie" not in server.requests[1]


# Evil servers

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"


def hang(line: Line) -> None:
    line.read()
    line.hang()


def hang_after_headers(line: Line) -> None:
    line.read()
    line.say(HEAD)
    line.hang()


def drip(line: Line) -> None:
    line.read()
    line.say(HEAD)
    while not line.over.wait(0.05):
        line.say(b".")


def drip_headers(line: Line) -> None:
    line.read()
    line.say(b"HTTP/1.1 200 OK\r\n")
    while not line.over.wait(0.05):
        line.say(b"X: y\r\n")


def reset_mid_body(line: Line) -> None:
    line.read()
    line.say(HEAD + b"half")
    line.reset()


def reset_at_once(line: Line) -> None:
    line.read()
    line.reset()


def endless_headers(line: Line) -> None:
    line.read()
    line.say(b"HTTP/1.1 200 OK\r\n")
    while True:
        line.say(b"X: " + b"y" * 1000 + b"\r\n")


def endless_interim(line: Line) -> None:
    line.read()
    while True:
        line.say(b"HTTP/1.1 103 Early\r\nX: y\r\n\r\n" * 100)


def endless_extension(line: Line) -> None:
    line.read()
    line.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;")
    while True:
        line.say(b"y" * 65_536)


@pytest.mark.parametrize("behave", [hang, hang_after_headers, drip, drip_headers])
def test_the_deadline_covers_the_last_byte(behave) -> None:
    answer = ask(behave, total_seconds=1.5)
    assert (answer.failure, answer.was_sent) == (Failure.TIMEOUT, True)
    assert answer.reason == "no complete answer in 1.5 seconds"
    assert answer.ms >= 1490


@pytest.mark.parametrize(
    "behave",
    [
        reset_mid_body,
        reset_at_once,
        once(HEAD + b"half"),
        once(b""),
        once(b"HTTP/1.1 200 OK\r\nContent-"),
        once(b"no HTTP at all\r\n\r\n"),
        once(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nok\r\n0\r\n\r\n"),
        once(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok"),
        once(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nok"),
    ],
)
def test_a_broken_answer_is_no_answer(behave) -> None:
    answer = ask(behave)
    assert (answer.failure, answer.response, answer.was_sent) == (Failure.ABORTED, None, True)


@pytest.mark.parametrize(
    "behave",
    [
        endless_headers,
        endless_interim,
        once(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 10_000_000 + b"\r\n\r\n"),
        once(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"Content-Length: 0\r\n\r\n"),
    ],
)
def test_absurd_headers_end_the_exchange(behave) -> None:
    assert ask(behave).failure is Failure.TOO_LARGE


def test_what_nobody_keeps_ends_the_exchange_if_there_is_no_end_to_it() -> None:
    answer = ask(endless_extension, total_seconds=60)
    assert answer.failure is Failure.TOO_LARGE
    assert answer.reason == "the answer is very long and holds nothing"


def test_an_endless_body_is_cut_and_the_connection_dropped() -> None:
    def behave(line: Line) -> None:
        line.read()
        line.say(b"HTTP/1.1 500 Oops\r\nContent-Type: a/b\r\n\r\n")
        while True:
            line.say(b"z" * 4096)

    with serving(behave) as server, Transport(allow=LOOPBACK, max_body=5000) as transport:
        answers = [*transport.exchange([get(server.url)] * 2, at_once=1)]
    for answer in answers:
        assert answer.response
        assert (answer.response.status, answer.response.body) == (500, b"z" * 5000)
        assert answer.response.headers == {"content-type": "a/b"}
    assert server.accepts == 2


def test_a_body_of_exactly_the_limit_keeps_its_connection() -> None:
    def behave(line: Line) -> None:
        while line.read():
            line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 16384\r\n\r\n" + b"z" * 16384)

    with serving(behave) as server, Transport(allow=LOOPBACK) as transport:
        answers = [*transport.exchange([get(server.url)] * 3, at_once=1)]
    assert [len(answer.response.body) for answer in answers if answer.response] == [16384] * 3
    assert server.accepts == 1


def packed(coding: bytes, body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n"
    return head % (coding, len(body)) + body


def test_a_bomb_unfolds_to_no_more_than_an_answer_may_have() -> None:
    answer = ask(once(packed(b"gzip", gzip.compress(b"z" * 50_000_000))))
    assert answer.response
    assert answer.response.body == b"z" * (16 * 1024)


@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        (b"gzip", gzip.compress),
        (b"deflate", zlib.compress),
        (b"deflate", lambda body: zlib.compress(body)[2:-4]),
        (b"GZIP, deflate", lambda body: zlib.compress(gzip.compress(body))),
        (b"identity", bytes),
    ],
)
def test_a_packed_answer_is_unpacked_although_none_was_asked_for(coding, pack) -> None:
    answer = ask(once(packed(coding, pack(b'{"status":"error"}'))))
    assert answer.response
    assert answer.response.json() == {"status": "error"}
    assert answer.response.unreadable == ""


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(b'{"status":"error"}', mtime=0),
        zlib.compress(b'{"status":"error"}'),
        gzip.compress(b'{"status":"error"}', mtime=0) + b"<!-- 0.1 s -->",
    ],
    ids=["gzip", "zlib", "rubbish behind it"],
)
def test_an_answer_that_is_packed_without_a_word_is_unpacked(body) -> None:
    answer = ask(once(packed(b"identity", body)))
    assert answer.response
    assert answer.response.json() == {"status": "error"}


def test_a_bomb_without_a_word_unfolds_to_no_more_than_an_answer_may_have() -> None:
    answer = ask(once(packed(b"identity", gzip.compress(b"z" * 5_000_000))))
    assert answer.response
    assert answer.response.body == b"z" * (16 * 1024)


def test_what_only_begins_like_gzip_is_not_understood() -> None:
    answer = ask(once(packed(b"identity", b"\x1f\x8b\x08 no gzip")))
    assert answer.response
    assert answer.response.unreadable


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        (b"gzip", gzip.compress(b'{"status":"error"}', mtime=0)),
        (b"deflate", zlib.compress(b'{"status":"error"}')),
        (b"deflate", zlib.compress(b'{"status":"error"}')[2:-4]),
    ],
)
def test_rubbish_behind_a_packed_answer_is_left_out(coding, body) -> None:
    answer = ask(once(packed(coding, body + b"rubbish")))
    assert answer.response
    assert answer.response.json() == {"status": "error"}


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        (b"gzip", gzip.compress(b"OK", mtime=0)[:-6]),
        (
            b"gzip",
            gzip.compress(b"OK", mtime=0) + gzip.compress(b'{"status":"error"}', mtime=0)[:-9],
        ),
        (b"gzip", gzip.compress(b'{"status":"error"}', mtime=0)[:10]),
        (b"gzip", gzip.compress(b'{"status":"error"}', mtime=0)[:-12]),
        (b"deflate", zlib.compress(b'{"status":"error"}')[:-7]),
        (b"br", bytes.fromhex("8b08807b22737461747573223a22")),
        (b"identity", gzip.compress(b"OK", mtime=0)[:-9]),
        (b"identity", b" " * (16 * 1024)),
    ],
    ids=[
        "a text",
        "the second member",
        "head only",
        "cut",
        "deflate",
        "br",
        "bare",
        "blank",
    ],
)
def test_a_packed_answer_that_was_not_read_to_its_end_is_not_understood(coding, body) -> None:
    answer = ask(once(packed(coding, body)))
    assert answer.response
    assert answer.response.unreadable


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        (b"x-gzip", gzip.compress(b'{"status":"error"}', mtime=0)),
        (b"none", b'{"status":"error"}'),
        (b"gzip", gzip.compress(b" ", mtime=0) + gzip.compress(b'{"status":"error"}', mtime=0)),
        (b"gzip", gzip.compress(b'{"status"', mtime=0) + gzip.compress(b':"error"}', mtime=0)),
        (b"gzip", b'{"status":"error"}'),
        (b"deflate", gzip.compress(b'{"status":"error"}', mtime=0)),
        (b"br", b'{"status":"error"}'),
        (b"UTF-8", b'{"status":"error"}'),
        (b"identity, foo", b'{"status":"error"}'),
        (b"utf-8", gzip.compress(b'{"status":"error"}', mtime=0)),
        (b"foo, gzip", gzip.compress(b'{"status":"error"}', mtime=0)),
        (b"gzip", gzip.compress(b"\n" * 20_000 + b'{"status":"error"}', mtime=0)),
        (b"gzip", gzip.compress(gzip.compress(b'{"status":"error"}', mtime=0), mtime=0)),
        (b"identity", b" " * 70_000 + b'{"status":"error"}'),
        (b"identity", b"\n" + gzip.compress(b'{"status":"error"}', mtime=0)),
    ],
    ids=[
        "x-gzip",
        "none",
        "blank and more",
        "in two",
        "not gzip",
        "gzip for deflate",
        "not br",
        "a charset",
        "unknown",
        "a charset of a gzip",
        "unknown in a gzip",
        "behind lines",
        "twice",
        "behind white space",
        "bare",
    ],
)
def test_an_answer_is_found_wherever_it_stands(coding, body) -> None:
    answer = ask(once(packed(coding, body)))
    assert answer.response
    assert answer.response.json() == {"status": "error"}
    assert answer.response.unreadable == ""


@pytest.mark.parametrize("body", [b"", gzip.compress(b"", mtime=0)])
def test_an_empty_answer_may_call_itself_packed(body) -> None:
    answer = ask(once(packed(b"gzip", body)))
    assert answer.response
    assert (answer.response.body, answer.response.unreadable) == (b"", "")


def test_a_brotli_answer_is_unpacked() -> None:
    # b'{"status":"error"}', by a brotli encoder.
    body = bytes.fromhex("8b08807b22737461747573223a226572726f72227d03")
    answer = ask(once(packed(b"br", body)))
    assert answer.response
    assert answer.response.json() == {"status": "error"}


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        # b'{"status":"error"}' by zstd and by compress
        (b"zstd", bytes.fromhex("28b52ffd2012910000") + b'{"status":"error"}'),
        (b"compress", bytes.fromhex("1f9d907b44d0a043")),
        (b"gzip", b"\x1f\x8b\x08 no gzip"),
        (b"br", b"\xff\xfe\xfd\xfc"),
        (b"x-own", b"\x01\x02 OK"),
        (b"gzip" + b", gzip" * 4, b"OK"),
    ],
)
def test_an_answer_that_cannot_be_unpacked_says_so(coding, body) -> None:
    answer = ask(once(packed(coding, body)))
    assert answer.response
    assert (answer.response.status, answer.response.body) == (200, b"")
    assert answer.response.unreadable


def test_a_transfer_coding_that_nobody_knows_is_named() -> None:
    answer = ask(once(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: x-own\r\n\r\n?"))
    assert (answer.failure, answer.response) == (Failure.ABORTED, None)
    assert answer.reason == "the answer's Transfer-Encoding is not known"


def test_a_half_closed_connection_still_answers() -> None:
    def behave(line: Line) -> None:
        line.read()
        line.say(b"HTTP/1.1 200 OK\r\n\r\nok")

    answer = ask(behave)
    assert answer.response
    assert answer.response.body == b"ok"


def test_a_connection_that_timed_out_is_not_used_again() -> None:
    def behave(line: Line) -> None:
        head = line.read()
        if b"/slow" in head:
            line.hang()
        line.say(OK)

    with serving(behave) as server, Transport(allow=LOOPBACK, total_seconds=3.0) as transport:
        first, second = transport.exchange([get(server.url + "/slow"), get(server.url)], at_once=1)
    assert first.failure is Failure.TIMEOUT
    assert second.response
    assert server.accepts == 2


def test_what_was_sent_once_is_not_repeated_behind_our_back() -> None:
    def behave(line: Line) -> None:
        line.read()
        line.say(OK)
        line.read()
        line.reset()  # a kept connection dies after it took the second request

    with serving(behave) as server, Transport(allow=LOOPBACK) as transport:
        post = Request("POST", server.url, body=b"x")
        first, second = transport.exchange([post, post], at_once=1)
    assert first.response
    assert (second.failure, second.was_sent) == (Failure.ABORTED, True)
    assert len(server.requests) == 2


def test_nobody_there_means_nothing_was_sent() -> None:
    with serving(polite) as server:
        pass
    answer = send(get(server.url))
    assert (answer.failure, answer.was_sent) == (Failure.UNREACHABLE, False)
    assert answer.reason == "could not connect"


# TLS


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, str]:
    pem = self_signed(folder, name, trusted_for=name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context, str(pem)


def test_the_certificate_must_name_the_host_and_be_trusted(tmp_path: Path) -> None:
    context, pem = certificate(tmp_path, "right.example")
    with serving(polite, tls=context) as server:
        resolve = [f"{name}.example:{server.port}:127.0.0.1" for name in ("right", "wrong")]
        right, wrong = (
            get(f"https://{name}.example:{server.port}/") for name in ("right", "wrong")
        )
        good = send(right, ca_file=pem, resolve=resolve)
        misnamed = send(wrong, ca_file=pem, resolve=resolve)
        untrusted = send(right, resolve=resolve)
        plain = send(get(f"http://127.0.0.1:{server.port}/"))
    assert good.response
    for answer in (misnamed, untrusted):
        assert (answer.failure, answer.was_sent) == (Failure.UNREACHABLE, False)
        assert "certificate" in answer.reason
    assert plain.response is None
    assert len(server.requests) == 1


def test_https_to_a_server_without_tls_is_no_connection() -> None:
    with serving(lambda line: line.say(b"HTTP/1.1 400 Bad\r\n\r\n")) as server:
        answer = send(get(f"https://127.0.0.1:{server.port}/"))
    assert (answer.failure, "TLS" in answer.reason) == (Failure.UNREACHABLE, True)


# Many at once


def test_connections_are_kept_and_used_again() -> None:
    with serving(polite) as server, Transport(allow=LOOPBACK) as transport:
        answers = [*transport.exchange((get(f"{server.url}/{n}") for n in range(400)), at_once=8)]
    assert sorted(int(str(answer.tag)) for answer in answers) == [*range(400)]
    assert all(answer.response for answer in answers)
    assert server.accepts <= 20  # 95 % of 400 found a connection


def test_no_more_connections_are_opened_than_allowed_and_the_rest_wait() -> None:
    lock, here, most = threading.Lock(), 0, 0

    def behave(line: Line) -> None:
        nonlocal here, most
        while line.read():
            with lock:
                here += 1
                most = max(most, here)
            line.over.wait(0.005)
            with lock:
                here -= 1
            line.say(OK)

    with serving(behave) as server, Transport(allow=LOOPBACK, connections=3) as transport:
        for n in range(30):
            transport.start(get(server.url), n)
        assert transport.in_flight == 30
        answers: list[Answer] = []
        while transport.in_flight:
            answers += transport.poll(5)
    assert len(answers) == 30
    assert all(answer.response for answer in answers)
    assert most <= 3
    assert server.accepts <= 3


def test_a_hanging_server_does_not_hold_up_another() -> None:
    with serving(hang) as bad, serving(polite) as good, Transport(allow=LOOPBACK) as transport:
        for n in range(20):
            transport.start(get(bad.url), ("bad", n))
        for n in range(20):
            transport.start(get(good.url), ("good", n))
        seen: list[Answer] = []
        while len(seen) < 20:
            seen += transport.poll(5)
        assert {answer.tag for answer in seen} == {("good", n) for n in range(20)}
        assert transport.in_flight == 20


def test_abort_drops_everything_and_names_it() -> None:
    with serving(hang) as server, Transport(allow=LOOPBACK, connections=2) as transport:
        transport.start(get("ftp://x"), "refused")
        for n in range(4):
            transport.start(get(server.url), n)
        transport.poll(0)
        transport.start(get("ftp://x"), "refused too")
        assert set(transport.abort()) == {0, 1, 2, 3, "refused too"}
        assert (transport.in_flight, transport.poll(0), transport.abort()) == (0, [], [])
    with serving(polite) as server, Transport(allow=LOOPBACK) as transport:
        transport.start(get(server.url), 1)
        transport.abort()
        (answer,) = transport.exchange([get(server.url)])
        assert answer.response


def test_an_idle_transport_answers_nothing_at_once_and_closes_twice() -> None:
    transport = Transport()
    assert transport.poll(60) == []
    transport.close()
    transport.close()


def test_whoever_wants_to_know_is_told_when_a_name_was_found() -> None:
    """A connection that is open tells that none is needed, and a name that nobody has nothing."""
    found: list[tuple[object, bool]] = []
    with serving(polite) as server:
        name = f"here.example:{server.port}"
        with Transport(allow=LOOPBACK, resolve=[f"{name}:127.0.0.1"]) as transport:
            transport.on_resolved = lambda tag, is_new: found.append((tag, is_new))
            for tag, host in (("first", name), ("again", name), ("nowhere", "nowhere.invalid")):
                transport.start(get(f"http://{host}/"), tag)
                while not transport.poll(1.0):
                    pass
    assert found == [("first", True), ("first", False), ("again", False)]


def test_another_thread_ends_a_poll_that_waits_or_the_next_one() -> None:
    with serving(Line.hang) as server, Transport(allow=LOOPBACK) as transport:
        transport.start(get(server.url), 1)
        transport.interrupt()
        assert transport.poll(60) == []  # interrupted before it began
        threading.Timer(0.05, transport.interrupt).start()
        assert transport.poll(60) == []
        transport.abort()


@pytest.mark.parametrize("sleeps", [True, False])
def test_a_time_that_ran_out_while_nobody_looked_may_be_ours(sleeps: bool) -> None:
    limits = {"connect_seconds": 0.5, "total_seconds": 0.5}
    with serving(Line.hang) as server, Transport(allow=LOOPBACK, **limits) as transport:
        transport.start(get(server.url), 1)
        transport.advance()
        if sleeps:
            time.sleep(0.7)
        (answer,) = transport.poll(10)
        assert (answer.failure is not None, answer.may_be_ours) == (True, sleeps)
