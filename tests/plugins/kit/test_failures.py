"""A stated failure is known in whatever words, and nothing else is taken for one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.contract import Response
from plugins.kit.failures import says_failure, says_nothing, stated_failure, text_says_failure

FAILURES = [
    '{"error":"x"}',
    '{"error":true}',
    '{"error":1}',
    '{"error":{"code":"INVALID","message":"no"}}',
    '{"errors":["x"]}',
    '{"errors":[{"code":0,"title":"bad"}]}',
    '{"errors":{"click":["is required"]}}',
    '{"error_message":"x"}',
    '{"errorCode":7}',
    '{"errcode":40001,"errmsg":"x"}',
    '{"exception":"E","file":"x"}',
    '{"code":403}',
    '{"code":"403"}',
    '{"code":-1}',
    '{"code":"ERROR"}',
    '{"status":500}',
    '{"statusCode":422,"message":"x"}',
    '{"success":false}',
    '{"Success":"false"}',
    '{"success":0}',
    '{"ok":false}',
    '{"ok":0}',
    '{"status":"fail"}',
    '{"status":"ERROR"}',
    '{"status":"failed"}',
    '{"status":"Failure"}',
    '{"status":false}',
    '{"result":"error"}',
    '{"type":"error"}',
    '{"failed":1}',
    '{"data":{"status":"error"}}',
    '{"response":{"success":false}}',
    '{"data":[{"status":"ok"},{"status":"error"}]}',
    '{"message":"Unauthenticated."}',
    '{"message":"Not Found"}',
    '{"detail":"Authentication credentials were not provided."}',
    '{"message":"Click abc not found"}',
    'OK {"status":"error"}',
    'cb({"status":"error"})',
    '"{\\"status\\":\\"error\\"}"',
    "<?xml version='1.0'?><r><status>error</status></r>",
    "<r><error>no click</error></r>",
    "<error code='7'/>",
    "<r><success>false</success></r>",
    "Error: x",
    "Error: no such click",
    "ERROR",
    "error=1&msg=x",
    "ERR 12",
    "Fail",
    "FAILED: x",
    "NOK",
    "false",
    "Invalid key",
    "Access denied",
    "403 Forbidden",
    "HTTP 404 Not Found",
    "Not found",
    "Unauthorized",
    "Wrong token",
    "Internal Server Error",
    "SQL error near x",
    "status=error&message=x",
    "id=5;status=failed",
    "success=false",
    "Click ID not found",
    "Campaign is required",
    "Token has expired",
    "No such click",
    "-1",
    "no",
    "ERROR_CLICK",
    "error_code=5",
    "Offer paused",
    "Campaign is not active",
    "Bad click id",
    "You do not have permission",
    "Please login",
    "Session expired",
    "Service Temporarily Unavailable",
    "Site is down for maintenance",
    "MySQL server has gone away",
    "upstream connect error",
    "Account suspended",
    "Traceback (most recent call last):",
    "Whoops, looks like something went wrong.",
    "Conversion was not recorded",
    "Ignored: unknown status",
    "subid is empty",
    "<Error><Code>AccessDenied</Code></Error>",
    "<response status='error'>x</response>",
    '{"status":"not_found"}',
    '{"status":"bad request"}',
    '{"done":false}',
    "Клик не найден",
    "Нет доступа",
    "Ошибка: нет клика",
    "Неверный ключ",
    "IP is not whitelisted",
    "Conversion not tracked",
    "No conversion recorded",
    "No clicks were found, nothing recorded",
    "OK - but not tracked",
    "OK, event wasn't recorded",
    "Subscription has ended",
    "Нет такого клика",
    "клик не существует",
    "Лицензия истекла",
    "не принято",
    "Неуспешно: клик не засчитан",
    '{"status":"rejected","reason":"x"}',
    '{"status":"declined","message":"x"}',
    '{"success":true,"recorded":false}',
    '{"success":true,"data":{"success":false}}',
    '{"success":true,"received":0,"error":"x"}',
]  # fmt: skip

NO_FAILURES = [
    "",
    "OK",
    "1",
    "0",
    "404",
    "451",
    "500123",
    "success",
    "accepted",
    "rejected",
    "No errors",
    "errors: 0",
    "Error: none",
    "0 errors",
    "status=ok&error=",
    "Conversion 404 recorded",
    "Recorded, empty payout",
    "Skipped as a duplicate",
    "error_code=0",
    "Принято, ошибок нет",
    "declined",
    '{"id":5,"title":"Missing link"}',
    "<offer title='Invalid'>1</offer>",
    "Authentication successful",
    "Postback recorded successfully.",
    "duplicate",
    "{}",
    "[]",
    '{"error":null}',
    '{"error":""}',
    '{"error":0}',
    '{"error":"0"}',
    '{"error":false}',
    '{"error":[]}',
    '{"error":{}}',
    '{"error":"none"}',
    '{"error":{"code":0,"message":""}}',
    '{"error":{"code":0,"message":"success"}}',
    '{"errors":[]}',
    '{"errcode":0,"errmsg":"ok"}',
    '{"code":200}',
    '{"code":0}',
    '{"code":1}',
    '{"status":0}',
    '{"status":"ok"}',
    '{"status":"rejected"}',
    '{"status":200,"message":"Error log is empty"}',
    '{"status":"ok","message":"Invalid utm_term was left out"}',
    '{"success":true,"failed":0}',
    '{"success":true,"received":0}',
    '{"success":true,"click":{"valid":0}}',
    '{"ok":true,"data":{"saved":false}}',
    '{"status":"declined","message":"Conversion added"}',
    '{"status":"rejected","reason":""}',
    '{"success":true,"status":"rejected","reason":"x"}',
    "Conversion recorded, callback not delivered",
    "Duplicate, not recorded",
    "No errors recorded",
    "Принято",
    "Успешно",
    '{"success":null}',
    '{"success":""}',
    '{"message":"Conversion added"}',
    '{"data":{"error":null}}',
    "<r><status>ok</status><error></error></r>",
    "<r><error>0</error></r>",
    "<ok/>",
]  # fmt: skip


@pytest.mark.parametrize("body", FAILURES)
def test_a_failure_is_known(body: str):
    assert stated_failure(Response(200, {}, body.encode()))


@pytest.mark.parametrize("body", NO_FAILURES)
def test_what_is_no_failure_is_none(body: str):
    assert stated_failure(Response(200, {}, body.encode())) is None


@pytest.mark.parametrize(
    "body",
    [
        "0",
        " {} ",
        "[]",
        "null",
        "None",
        '""',
        '{"id":5}',
        '[{"id":5}]',
        '{"code":1}',
        '{"x":{"y":1}}',
    ],
)
def test_an_answer_may_say_nothing(body: str):
    assert says_nothing(Response(200, {}, body.encode()))


@pytest.mark.parametrize(
    "body",
    [
        *("", "1", "OK", "12345", "GIF89a", '{"status":"ok"}', '{"error":null}', '{"errors":[]}'),
        *('{"x":{"success":true}}', '{"message":"Conversion added"}', '{"code":200}', "<ok/>"),
    ],
)
def test_an_answer_that_says_something_or_is_none_is_left_in_peace(body: str):
    assert not says_nothing(Response(200, {}, body.encode()))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"status":"error","error":"db"}', "db"),
        ('{"error":{"code":"X","message":"no click"}}', "no click"),
        ('{"success":false,"message":"no such click"}', "no such click"),
        ('{"ok":false}', "error"),
        ("Error: x", "Error: x"),
    ],
)
def test_a_failure_is_told_in_its_own_words(body: str, words: str):
    assert stated_failure(Response(200, {}, body.encode())) == words


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)
_NAMES = st.sampled_from(["status", "error", "errors", "code", "success", "ok", "message", "data"])


@given(st.dictionaries(_NAMES | st.text(max_size=5), _JSON), st.text(max_size=200))
def test_whatever_an_answer_holds_it_is_judged(answer: dict[str, object], text: str):
    assert says_failure(answer) in (True, False)
    assert text_says_failure(text) in (True, False)
    says_nothing(Response(200, {}, json.dumps(answer).encode()))
    stated_failure(Response(200, {}, json.dumps(answer).encode()))
