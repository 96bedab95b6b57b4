import json
import sqlite3

import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import RequestEntityTooLarge

from app.crypto import CannotDecrypt
from app.errors import TooManyRequests
from app.extensions import db
from app.web import responses

POSTS = [
    "profile/postbacks",
    "profile/notify",
    "profile/lang",
    "camp/add",
    "camp/edit",
    "camp/pause",
    "camp/del",
    "postbacks/resend",
    "postbacks/test",
    "dest/add",
    "dest/edit",
    "dest/pause",
    "dest/del",
    "dest/check",
]
GETS = [
    "profile/info",
    "camp/list",
    "camp/get",
    "camp/link",
    "leads/list",
    "leads/get",
    "journal/list",
    "postbacks/list",
    "postbacks/get",
    "dest/list",
    "trackers/list",
]


def _parsed(response):
    assert response.status_code == 200
    assert response.mimetype == "application/json"
    return response.get_json()


@pytest.fixture
def bearer(account):
    return {"Authorization": f"Bearer {account.key}"}


@pytest.mark.parametrize("path", GETS)
def test_writing_to_what_is_read_is_func(api, path):
    assert api.post(path)["error"] == "func"


@pytest.mark.parametrize("path", [*POSTS, "profile/apikey"])
def test_reading_what_is_written_is_func(api, path):
    assert api.get(path)["error"] == "func"


@pytest.mark.parametrize(
    "path",
    [
        "/api/",
        "/api/nothing.json",
        "/api//camp/list.json",
        "/api/camp/list.json/",
        "/api/camp/list",
        "/api/camp/../camp/nothing.json",
        "/api/%ff%00.json",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"])
def test_what_does_not_exist_is_func(client, path, method):
    assert _parsed(client.open(path, method=method))["error"] == "func"


def test_outside_the_api_the_status_code_tells(client):
    response = client.get("/nothing")
    assert (response.status_code, response.mimetype) == (404, "application/json")
    assert response.get_json()["error"] == "func"


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"null",
        b"7",
        b'"text"',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 20_000,
        b"\xef\xbb\xbf{}",
    ],
    ids=range(9),
)
def test_a_body_that_cannot_be_read_is_param(client, bearer, path, body):
    answer = client.post(
        f"/api/{path}.json", data=body, headers=bearer, content_type="application/json"
    )
    parsed = _parsed(answer)
    assert (parsed["error"], "field" in parsed) == ("param", False)


def test_a_body_of_another_kind_is_param(client, bearer):
    for kind in ("text/plain", "application/xml", "", "nonsense", "multipart/mixed"):
        answer = client.post(
            "/api/profile/lang.json", data=b'{"lang":"ru"}', headers=bearer, content_type=kind
        )
        assert _parsed(answer)["error"] == "param"


def test_an_empty_body_lacks_its_parameters(client, bearer):
    for kind in ("", "application/json", "text/plain", "application/x-www-form-urlencoded"):
        answer = client.post("/api/profile/lang.json", headers=bearer, content_type=kind)
        assert _parsed(answer)["field"] == "lang"


def test_a_large_body_is_size(client, bearer):
    large = "x" * (256 * 1024)
    for body in ({"json": {"lang": large}}, {"data": {"lang": large}}):
        answer = client.post("/api/profile/lang.json", headers=bearer, **body)
        assert _parsed(answer)["error"] == "size"
    huge = client.post("/api/profile/lang.json", headers=bearer, data=b"x" * 2**21)
    assert _parsed(huge)["error"] == "size"


def test_broken_escapes_in_a_query_are_harmless(client, bearer):
    for query in ("limit=%zz", "limit=%ff", "id=%00", "%&&==&limit=%", "campaign=%ED%A0%80"):
        for path in ("leads/list", "camp/get", "camp/link"):
            answer = client.get(f"/api/{path}.json?{query}", headers=bearer)
            assert _parsed(answer).get("error", "param") in ("param", "notfound")


def test_unknown_parameters_are_ignored(api):
    assert api.post("profile/lang", lang="ru", surprise={"a": [1]}, __proto__=1)["status"] == "ok"


_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["1", "true", "https://x.example/{click}", "\x00", "\ud800"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_fields = st.sampled_from(
    "id bot chat pause lang tariff leads pb_wait pb_trash welcome media button_text button_url"
    " unsub_window notify_level click limit offset from to before campaign status state event"
    " dest lead tracker settings title events template".split()
)
_patient = hypothesis_settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@_patient
@given(path=st.sampled_from(POSTS), body=st.dictionaries(_fields, _values, max_size=6))
def test_no_json_body_causes_a_fault(client, bearer, path, body):
    answer = client.post(
        f"/api/{path}.json",
        data=json.dumps(body).encode(),
        headers=bearer,
        content_type="application/json",
    )
    assert _parsed(answer).get("error") in (None, "param", "notfound")


@_patient
@given(path=st.sampled_from(POSTS), body=st.binary(max_size=200), form=st.booleans())
def test_no_bytes_cause_a_fault(client, bearer, path, body, form):
    kind = "application/x-www-form-urlencoded" if form else "application/json"
    answer = client.post(f"/api/{path}.json", data=body, headers=bearer, content_type=kind)
    assert _parsed(answer).get("error") in (None, "param", "notfound")


@_patient
@given(
    path=st.sampled_from(GETS),
    query=st.dictionaries(_fields, st.text(st.characters(exclude_categories=["Cs"])), max_size=6),
)
def test_no_query_causes_a_fault(client, bearer, path, query):
    answer = client.get(f"/api/{path}.json", query_string=query, headers=bearer)
    assert _parsed(answer).get("error") in (None, "param", "notfound")


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (OperationalError("SELECT 1", {}, Exception("gone")), "db"),
        (PoolTimeout("no connection is free"), "db"),
        (psycopg.OperationalError("a secret detail"), "db"),
        (psycopg.errors.InsufficientPrivilege("a secret detail"), "db"),
        (sqlite3.OperationalError("database is locked"), "db"),
        (IntegrityError("", {}, psycopg.errors.UniqueViolation("a secret detail")), "server"),
        (psycopg.errors.NumericValueOutOfRange("a secret detail"), "server"),
        (RequestEntityTooLarge(), "size"),
        (TooManyRequests(7), "rate"),
        (ZeroDivisionError("a secret detail"), "server"),
        (RecursionError(), "server"),
        (CannotDecrypt("encrypted with another SECRET_KEY"), "server"),
    ],
)
def test_every_fault_has_a_code_and_tells_no_detail(app, fault, code):
    with app.test_request_context("/api/camp/list.json"):
        answer = responses.handle_error(fault)
    body = answer.get_json()
    assert (answer.status_code, body["status"], body["error"]) == (200, "error", code)
    assert body["message"]
    assert "secret" not in answer.get_data(as_text=True)
    assert ("request_id" in body) is (code == "server")
    assert ("retry_after" in body) is (code in ("db", "rate"))


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (OperationalError("", {}, Exception()), 503),
        (psycopg.OperationalError(), 503),
        (ValueError(), 500),
        (TooManyRequests(7), 400),
    ],
)
def test_outside_the_api_a_fault_has_its_status_code(app, fault, status):
    with app.test_request_context("/pay"):
        assert responses.handle_error(fault).status_code == status


def test_a_wait_is_told(app):
    with app.test_request_context("/api/x"):
        assert responses.handle_error(TooManyRequests(7)).get_json()["retry_after"] == 7


def test_a_templates_seal_that_cannot_be_opened_is_a_fault_of_ours(api, world):
    dest = world.destination(role=0)
    damage = text("UPDATE destination SET settings = 'garbage' WHERE id = :dest")
    db.session.execute(damage, {"dest": dest})
    assert api.get("profile/info")["error"] == "server"
    assert api.get("camp/list")["status"] == "ok"


@pytest.mark.parametrize(
    "path", ["/api/profile/info.json", "/api/nothing", "/nothing", "/telegram/none", "/healthz"]
)
def test_no_answer_is_kept_or_guessed_at(client, path):
    response = client.get(path)
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_the_document_of_the_api_may_be_kept_and_is_not_guessed_at(client):
    response = client.get("/api/openapi.json")
    assert response.headers["Cache-Control"] == "public, max-age=300"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_page_may_repeat_what_is_no_utf8(app):
    with app.test_request_context("/"):
        assert app.make_response("a\ud800b").get_data() == b"a?b"
        assert app.make_response(b"a\xffb").get_data() == b"a\xffb"
