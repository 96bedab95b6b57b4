"""The doors of landing pages: who may tell us what, and that nobody is told anything."""

import gzip
import json

import pytest
from sqlalchemy import select

from app.blueprints.track import MAX_BODY
from app.extensions import db
from app.models import Click, Source
from app.services.clicks import sites, visits

ORIGIN = "https://shop.example"
PHONE = {"User-Agent": "Mozilla/5.0 (Linux; Android 15) Mobile"}
TEMP = "0e984725-c51c-4bf4-9960-e1c80e27aba0"
FBP = "fb.1.1790000000000.123"


@pytest.fixture
def source(live_app, world):
    return world.source(world.campaign())


@pytest.fixture
def site(account, source):
    made = sites.add(account.id, domains=["shop.example"], source=source, capture=15)
    db.session.commit()
    return made.site


@pytest.fixture
def post(client, site):
    """`post("visit", {...}, origin=…)`: as a page sends it, without a preflight."""

    def send(what, body, origin=ORIGIN, query="", **headers):
        told = {"site": site, **body} if isinstance(body, dict) else body
        data = json.dumps(told) if isinstance(told, dict) else told
        headers = PHONE | ({"Origin": origin} if origin else {}) | headers
        return client.post(
            f"/track/{what}{query}", data=data, headers=headers, content_type="text/plain"
        )

    return send


def clicks():
    rows = db.session.scalars(select(Click).order_by(Click.id)).all()
    db.session.commit()
    return rows


def test_a_visit_is_stored_and_answered_in_adtargets_shape(post):
    answer = post("visit", {"tempId": TEMP, "href": f"{ORIGIN}/deal?gclid=g", "fbp": FBP})
    assert answer.status_code == 200
    (row,) = clicks()
    said = answer.get_json()
    assert (said["visitId"], said["tempId"]) == (row.token, TEMP)
    assert said["clientSessionId"] == said["sessionId"]
    assert said["cookies"]["tempId"] == {
        "name": "gp_v", "value": TEMP, "maxAge": 7_776_000, "sameSite": "Lax",
    }  # fmt: skip
    assert said["cookies"]["session"]["maxAge"] == 1800
    assert (row.landing, row.ip, row.ua) == (f"{ORIGIN}/deal", "127.0.0.1", PHONE["User-Agent"])
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Origin" in answer.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Set-Cookie" not in answer.headers


def test_a_page_cannot_say_that_its_visitor_is_somebody_else(post):
    lies = {"clientIp": "198.51.100.9", "userAgent": "Other", "country": "US", "city": "Nowhere"}
    assert post("visit", {"href": ORIGIN, **lies}).status_code == 200
    (row,) = clicks()
    assert (row.ip, row.ua) == ("127.0.0.1", PHONE["User-Agent"])
    assert (row.country, row.city) == ("", "")


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "https://shop.example.evil", "null", "", "shop.example"]
)
def test_a_foreign_origin_is_refused_and_may_not_read_the_answer(post, client, site, origin):
    for answer in (
        post("visit", {"href": ORIGIN}, origin),
        post("visit", {"href": ORIGIN}, origin, f"?site={site}"),
        post("fbp", {"tempId": TEMP, "fbp": FBP}, origin),
        client.get(f"/track/invite?site={site}", headers=PHONE | {"Origin": origin}),
    ):
        assert (answer.status_code, answer.get_json()) == (403, {"error": "origin"})
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert clicks() == []


def test_an_unknown_site_is_answered_as_a_foreign_origin(post):
    answer = post("visit", {"site": "x" * 16, "href": ORIGIN})
    assert (answer.status_code, answer.get_json()) == (403, {"error": "origin"})


def test_a_preflight_is_answered(client):
    headers = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    for path in ("visit", "fbp", "invite"):
        answer = client.options(f"/track/{path}", headers=headers)
        assert (answer.status_code, answer.data) == (204, b"")
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert answer.headers["Access-Control-Allow-Headers"] == "Content-Type"


def test_a_body_is_judged_before_it_is_read(post, client):
    assert post("visit", "x" * (MAX_BODY + 1)).status_code == 413
    chunked = client.post(
        "/track/visit", headers={"Origin": ORIGIN, "Transfer-Encoding": "chunked"},
        environ_overrides={"CONTENT_LENGTH": ""},
    )  # fmt: skip
    assert chunked.status_code == 411


@pytest.mark.parametrize("body", ["[]", "{", '{"site": NaN}', "null", '{"a":' * 50, "\x00"])
def test_what_is_no_object_is_refused(post, body):
    answer = post("visit", body)
    assert answer.status_code in (400, 403)
    assert clicks() == []


def test_a_visit_that_names_no_source_or_another_accounts_is_refused(
    post, account, world, others_world
):
    theirs = others_world.source(others_world.campaign())
    code = db.session.get_one(Source, theirs).code
    made = sites.add(account.id, domains=["shop.example"]).site
    db.session.commit()
    assert post("visit", {"source": code}).status_code == 404
    assert post("visit", {"source": "nobodys1"}).status_code == 404
    assert (post("visit", {"site": made}).get_json()) == {"error": "source"}
    assert clicks() == []


@pytest.mark.parametrize("limit", ["BY_ADDRESS", "BY_SITE", "CLICKS_OF_ACCOUNT"])
def test_a_flood_is_refused_and_the_page_may_read_so(post, monkeypatch, limit):
    monkeypatch.setattr(getattr(visits, limit), "clock", lambda: 1_800_000_000.0)
    monkeypatch.setattr(getattr(visits, limit), "burst", 1)
    assert post("visit", {"href": ORIGIN}).status_code == 200
    answer = post("visit", {"href": ORIGIN})
    assert (answer.status_code, answer.get_json()) == (429, {"error": "rate"})
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN


def test_a_late_fbp_is_added_and_nobody_learns_whether_a_visitor_was_there(post):
    post("visit", {"tempId": TEMP, "href": ORIGIN})
    assert post("fbp", {"tempId": TEMP, "fbp": FBP}).get_json() == {"success": True}
    assert json.loads(clicks()[0].ids) == {"fbp": FBP}
    assert post("fbp", {"tempId": "x" * 22, "fbp": FBP}).get_json() == {"success": True}
    for odd in ({"tempId": TEMP, "fbp": "x"}, {"tempId": [1], "fbp": FBP}, {}):
        assert post("fbp", odd).get_json() == {"success": False}


def test_a_link_that_is_asked_for_is_that_of_the_visit(post, client, site):
    visit = post("visit", {"tempId": TEMP, "href": ORIGIN}).get_json()["visitId"]
    answer = client.get(
        f"/track/invite?site={site}&tempId={TEMP}", headers=PHONE | {"Origin": ORIGIN}
    )
    said = answer.get_json()
    assert (said["kind"], said["expires"]) == ("start", None)
    assert said["link"].endswith(f"_{visit}")
    assert clicks()[0].pressed is not None


def test_pressing_the_link_of_a_page_uses_its_click(post, client, site, source):
    post("visit", {"tempId": TEMP, "href": f"{ORIGIN}/?click=c-1"})
    code = db.session.get_one(Source, source).code
    db.session.commit()
    for path in (f"/c/{code}", f"/c/{site}"):
        answer = client.get(f"{path}?v={TEMP}&site={site}&consent=1&fbp={FBP}", headers=PHONE)
        assert answer.headers["Location"].endswith(f"_{clicks()[0].token}")
        assert "Set-Cookie" not in answer.headers
    (row,) = clicks()
    assert (row.external, json.loads(row.ids)) == ("c-1", {"fbp": FBP})


def test_a_link_of_a_visitor_who_agreed_to_nothing_works_and_keeps_only_a_token(
    client, account, source
):
    made = sites.add(
        account.id, domains=["shop.example"], source=source, capture=15, consent=1
    ).site
    db.session.commit()
    for consent in ("", "&consent=0"):
        query = f"v={TEMP}&site={made}{consent}&fbclid=x&utm_source=fb&click=c-1"
        answer = client.get(f"/c/{made}?{query}", headers=PHONE)
        assert answer.status_code == 302
    (row,) = clicks()
    assert (row.visitor, row.external, row.ip, row.ua, row.referrer) == ("", "", None, None, "")
    assert (json.loads(row.ids), json.loads(row.utm), row.flags & 8) == ({}, {}, 8)


def test_the_script_is_small_kept_by_caches_and_the_same_in_both_encodings(client):
    plain = client.get("/t.js", headers={"Accept-Encoding": "identity"})
    packed = client.get("/t.js", headers={"Accept-Encoding": "br, gzip"})
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) <= 3 * 1024
    for answer in (plain, packed):
        assert answer.mimetype == "text/javascript"
        assert answer.headers["Cache-Control"] == "public, max-age=3600"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Vary"] == "Accept-Encoding"
    again = client.get(
        "/t.js", headers={"Accept-Encoding": "gzip", "If-None-Match": packed.headers["ETag"]}
    )
    assert (again.status_code, again.data) == (304, b"")


def test_the_script_evaluates_nothing_and_asks_nobody_else(client):
    source = client.get("/t.js").text
    for word in ("eval", "Function(", "innerHTML", "document.write", "XMLHttpRequest", "import("):
        assert word not in source
    assert source.count("fetch(") == 1
    assert source.count("window.") == 2  # the look at `gatepost` and its making


@pytest.mark.parametrize("text", ["%00", "a%ED%A0%80", "%FF"])
def test_no_text_in_a_query_causes_a_fault(post, client, site, text):
    """NUL, half of a surrogate pair, and what is no UTF-8: no column stores them."""
    for name in ("source", "tempId", "consent", "site", text):
        query = f"?site={site}&{name}={text}" if name != "site" else f"?site={text}"
        answers = [post(what, {"tempId": TEMP}, query=query) for what in ("visit", "fbp")]
        answers.append(client.get(f"/track/invite{query}", headers=PHONE | {"Origin": ORIGIN}))
        assert {answer.status_code for answer in answers} <= {200, 400, 403, 404}, name


@pytest.mark.parametrize("text", ["\\u0000", "\\ud800"])
def test_no_text_in_a_body_causes_a_fault(post, site, text):
    names = "tempId clientSessionId source href referrer fbp fbc title consent params userAgent"
    for name in (*names.split(), text):
        body = f'{{"site":"{site}","tempId":"{TEMP}","{name}":"{text}"}}'
        statuses = {post(what, body).status_code for what in ("visit", "fbp")}
        assert statuses <= {200, 400, 403, 404}, body
    for value in (f'{{"a":"{text}"}}', f'{{"{text}":"a"}}', f'["{text}"]'):
        assert post("visit", f'{{"site":"{site}","params":{value}}}').status_code in (200, 400), (
            value
        )
