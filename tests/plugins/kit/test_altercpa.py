"""AlterCPA's dialect, wherever it is met."""

import pytest

from plugins.contract import Response, Verdict
from plugins.kit import altercpa


@pytest.mark.parametrize(
    ("status", "body", "verdict", "stop"),
    [
        (200, b'{"status":"ok"}', Verdict.DELIVERED, False),
        (200, b'\xef\xbb\xbf {"status": "ok", "id": 5}', Verdict.DELIVERED, False),
        (200, b'{"id": 5}', Verdict.RETRY, False),
        (200, b'{"status": "OK"}', Verdict.DELIVERED, False),
        (200, b'{"status": 0}', Verdict.REJECTED, False),
        (200, b'{"status": "denied"}', Verdict.REJECTED, False),
        (200, b'{"status": "ok", "error": "key"}', Verdict.RETRY, True),
        (200, b'{"result": "fail"}', Verdict.REJECTED, False),
        (200, b'{"message": "Unauthenticated."}', Verdict.REJECTED, False),
        (200, b'{"success": 0}', Verdict.REJECTED, False),
        (200, b"{}", Verdict.RETRY, False),
        (200, b"<ok/>", Verdict.RETRY, False),
        (200, b"", Verdict.RETRY, False),
        (200, b"OK", Verdict.RETRY, False),
        (200, b'[{"status":"error"}]', Verdict.REJECTED, False),
        (200, b'[{"status":"ok"},{"status":"error","error":"key"}]', Verdict.RETRY, True),
        (200, b'{"status":"ok"}\n{"status":"error"}\n', Verdict.REJECTED, False),
        (200, b'{"status":"ERROR"} <!-- 0.1 s -->', Verdict.REJECTED, False),
        (200, '{"status":"error"}'.encode("utf-16"), Verdict.REJECTED, False),
        (200, '{"status":"error"}'.encode("utf-16-be"), Verdict.REJECTED, False),
        (200, b'{"status":"error","error":"key"}', Verdict.RETRY, True),
        (200, b'{"status":"error","error":"ban"}', Verdict.RETRY, True),
        (200, b'{"status":"error","error":"unpaid"}', Verdict.RETRY, True),
        (200, b'{"status":"error","error":"db"}', Verdict.RETRY, False),
        (200, b'{"status":"error","error":"click"}', Verdict.REJECTED, False),
        (200, b'{"status":"error"}', Verdict.REJECTED, False),
        (200, b'{"error":{"a":1}}', Verdict.REJECTED, False),
        (200, b"<html>maintenance</html>", Verdict.RETRY, False),
        (200, b'{"status":"o', Verdict.RETRY, False),
        (200, b'[{"status":"o', Verdict.RETRY, False),
        (200, b"[]", Verdict.RETRY, False),
        (502, b'{"status":"ok"}', Verdict.RETRY, False),
        (404, b"", Verdict.REJECTED, False),
        (401, b"<html>Unauthorized</html>", Verdict.RETRY, True),
    ],
)
def test_the_json_decides(status: int, body: bytes, verdict: Verdict, stop: bool):
    outcome = altercpa.classify(Response(status, {}, body))
    assert (outcome.verdict, outcome.disable_destination) == (verdict, stop)


def test_an_error_is_told_with_its_code():
    answer = Response(200, {}, b'{"status":"error","error":"noclick"}')
    assert altercpa.classify(answer).reason.endswith("noclick")


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (b'{"status":"error","error":"db"}', Verdict.RETRY),
        (b'{"status":"failed","message":"rate"}', Verdict.RETRY),
        (b'{"status":"error","error":"key"}', Verdict.REJECTED),
        (b'{"success":false,"message":"no such click"}', Verdict.REJECTED),
        (b'{"status":"fail"}', Verdict.REJECTED),
        (b'{"error":"x"}', Verdict.REJECTED),
        (b"Error: no such click", Verdict.REJECTED),
    ],
)
def test_a_lookalike_may_ask_for_another_try_but_switches_nothing_off(
    body: bytes, verdict: Verdict
):
    outcome = altercpa.classify_lookalike(Response(200, {}, body))
    assert outcome is not None
    assert (outcome.verdict, outcome.disable_destination) == (verdict, False)


@pytest.mark.parametrize("body", [b'{"status":"ok"}', b'{"error":""}', b"[]", b"{", b"OK"])
def test_another_shape_is_no_lookalike(body: bytes):
    assert altercpa.classify_lookalike(Response(200, {}, body)) is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/api/track/postback.json?id=7-x", True),
        ("http://a.example:81/api/tracker/postback.json", True),
        ("https://a.example/api/tracker/status.json?id=7-x", False),
        ("https://a.example/x?u=/api/tracker/postback.json", False),
        ("https://a.example/api/tracker/postback.json.example", False),
    ],
)
def test_a_postback_is_known_by_its_path(url: str, expected: bool):
    assert altercpa.is_postback_url(url) is expected


@pytest.mark.parametrize(
    ("text", "expected"), [("42-d3adb33f", True), ("42", False), ("x-1", False)]
)
def test_a_key_is_known_by_its_account_number(text: str, expected: bool):
    assert bool(altercpa.KEY.fullmatch(text)) is expected


@pytest.mark.parametrize(
    ("body", "is_good"),
    [
        (b'{"status":"ok"}', True),
        (b'{"version":"2.1"}', True),
        (b'{"status":"error","error":"key"}', False),
        (b'{"message":"Unauthenticated."}', False),
        (b"OK", False),
        (b"<h1>Login</h1>", False),
    ],
)
def test_a_probe_is_good_where_json_tells_of_no_failure(body: bytes, is_good: bool):
    assert altercpa.classify_probe(Response(200, {}, body)).verdict.is_success is is_good
