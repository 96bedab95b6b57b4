"""Header lines as they are sent and read."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.outbound.headers import received, to_send
from app.outbound.result import Failure, Unsendable
from plugins.contract import Request
from plugins.host.validation import AdapterFailed, check_request
from plugins.kit.http_headers import FRAMING


def lines(**fields) -> list[str]:
    return to_send(Request(**{"method": "GET", "url": "https://t.example/", **fields}))


def test_an_adapters_headers_are_sent_and_an_empty_one_stays():
    sent = lines(headers={"X-One": "1", "X-Empty": ""})
    assert sent == ["Accept-Encoding: identity", "X-One: 1", "X-Empty;"]


@pytest.mark.parametrize("fields", [{"method": "POST"}, {"body": b"x"}])
def test_a_body_without_a_type_is_not_called_a_form_and_is_not_announced(fields):
    assert {"Expect:", "Content-Type:"} <= set(lines(**fields))
    typed = lines(**fields, headers={"content-type": "text/plain"})
    assert "Content-Type:" not in typed


def test_the_idempotency_key_is_a_header_unless_the_adapter_sent_its_own():
    assert "Idempotency-Key: k-1" in lines(idempotency_key="k-1")
    own = lines(idempotency_key="k-1", headers={"idempotency-key": "mine"})
    assert [line for line in own if line.lower().startswith("idempotency-key")] == [
        "idempotency-key: mine"
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"headers": {"X A": "1"}},
        {"headers": {"": "1"}},
        {"headers": {"X": "a\r\nY: b"}},
        {"headers": {"X": "caf\u00e9"}},
        {"idempotency_key": "a\nb"},
        *({"headers": {name.title(): "1"}} for name in sorted(FRAMING)),
    ],
)
def test_what_http_cannot_carry_or_is_ours_to_set_is_refused(fields):
    with pytest.raises(Unsendable) as caught:
        lines(**fields)
    assert caught.value.failure is Failure.INVALID


NAMES = st.sampled_from(sorted(FRAMING)).map(str.title) | st.text("aZ9-_:~ \n\u00e9", max_size=5)
VALUES = st.text("a ~\t\n\x00\x7f\u00e9", max_size=5)
KEYS = st.text("a~ \n\u00e9", max_size=5)


@given(st.dictionaries(NAMES, VALUES, max_size=3), KEYS, st.binary(max_size=3))
@example({"Host": "other.example"}, "", b"")
def test_whatever_headers_the_border_accepts_can_be_sent(headers, key, body):
    request = Request(
        method="POST", url="https://t.example/", headers=headers, body=body, idempotency_key=key
    )
    try:
        accepted = check_request(request, None, (), "build_request")
    except AdapterFailed:
        return
    assert set(headers) <= {line.partition(":")[0].rstrip(";") for line in to_send(accepted)}


def test_repeated_headers_are_joined_and_names_are_lower_case():
    head = [b"HTTP/1.1 200 OK\r\n", b"X-One: 1\r\n", b"x-one:  2 \r\n", b"\r\n"]
    assert received(head) == {"x-one": "1, 2"}


def test_interim_answers_and_trailers_are_left_out():
    head = [
        b"HTTP/1.1 103 Early\r\n", b"Link: a\r\n", b"\r\n",
        b"HTTP/1.1 200 OK\r\n", b"X: 1\r\n", b"\r\n", b"Trailer: t\r\n",
    ]  # fmt: skip
    assert received(head) == {"x": "1"}


def test_headers_that_never_end_are_no_answer():
    assert received([b"HTTP/1.1 200 OK\r\n", b"X: 1\r\n"]) is None
