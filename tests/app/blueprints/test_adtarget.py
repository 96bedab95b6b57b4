"""/api/v1: a worker that was written for AdTarget works here after its host has changed."""

import json
import re

import pytest
from sqlalchemy import select

from app.extensions import db
from app.models import Click
from app.services.accounts import rate_limits
from app.services.accounts.rate_limits import Limit
from tests.support.adtarget_worker import Worker, key_of, refused

PAGE = "https://shop.example/deal?utm_source=fb&fbclid=IwAR0abc"
pytestmark = pytest.mark.usefixtures("live_app")
TEMP = "0e984725-c51c-4bf4-9960-e1c80e27aba0"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@pytest.fixture
def worker(client, account):
    return Worker(client, key_of(account))


@pytest.fixture
def campaign(world):
    return world.campaign(chat_id=-1_001_234_567_890)


@pytest.fixture
def source(world, campaign):
    return world.source(campaign)


@pytest.fixture
def site(world, source):
    return world.site(default_source_id=source, capture=15)


def the_click():
    click = db.session.scalars(select(Click)).one()
    db.session.rollback()
    return click


# Visits


def test_a_visit_a_late_fbp_and_the_link_are_one_click(worker, site):
    worker.visitor_ip, worker.visitor_agent = "203.0.113.9", "Mozilla/5.0 (visitor)"
    made = worker.visit(
        PAGE, tempId=TEMP, clientSessionId="s-1", referrer="https://l.facebook.com/x?y=1",
        clientIp="198.51.100.1", userAgent="of the body", country="LV", city="Riga", region="RIX",
        externalUserId="user-7", utmMedium="cpc", gclid="g1", ttclid="t1", sccid="s1", fbc=None,
        landingPage="https://shop.example/deal",
    )  # fmt: skip
    assert (made["tempId"], made["clientSessionId"]) == (TEMP, "s-1")
    assert worker.update_fbp(TEMP, "fb.1.1790000000000.1234567890")
    assert worker.invite(tempId=TEMP).startswith("https://t.me/")
    click = the_click()
    ids = json.loads(click.ids)
    assert (click.token, click.external, click.city) == (made["visitId"], "user-7", "Riga")
    assert (ids["fbclid"], ids["gclid"], ids["fbp"][-3:]) == ("IwAR0abc", "g1", "890")
    assert json.loads(click.utm) == {"source": "fb", "medium": "cpc"}
    assert click.ip == "203.0.113.9"
    assert click.ua == "Mozilla/5.0 (visitor)"
    assert click.pressed


def test_a_visitor_without_a_temp_id_gets_a_uuid(worker, site):
    assert UUID.fullmatch(worker.visit(PAGE)["tempId"])


def test_a_visit_that_is_repeated_under_its_key_is_the_same_visitor(worker, site):
    first = worker.visit(PAGE, idempotency_key="v-1", clientSessionId="s")
    assert not worker.replayed
    assert worker.visit(PAGE, idempotency_key="v-1", clientSessionId="s") == first
    assert worker.replayed
    assert the_click().token == first["visitId"]
    assert refused(worker.visit, PAGE + "&x=1", idempotency_key="v-1").status == 409


def test_the_host_of_the_page_tells_which_site_it_is(worker, world, campaign, site):
    other = world.source(campaign)
    world.site(default_source_id=other, domains='["other.example"]')
    worker.visit("https://other.example/")
    assert the_click().source_id == other


def test_a_site_is_named_by_its_public_id_or_its_number(worker, world, campaign, site):
    other = world.site(default_source_id=world.source(campaign), public_id="p" * 16)
    for named in ({"websiteId": "p" * 16}, {"siteId": str(other)}):
        worker.visit(PAGE, **named)
    assert {row.site_id for row in db.session.scalars(select(Click))} == {other}
    for named in ({"websiteId": "atid_x"}, {"siteId": "999999"}):
        assert refused(worker.visit, PAGE, **named).code == "INVALID_PAYLOAD"


def test_a_channel_leads_to_a_source_of_its_own(worker, world, site):
    other = world.campaign(chat_id=-1_009)
    assert refused(worker.invite, channelId="-1009").code == "INVALID_PAYLOAD"
    expected = world.source(other)
    worker.invite(channelId="-1009")
    assert the_click().source_id == expected
    for channel in ("-1008", "k57convexid", "-" * 20):
        assert refused(worker.invite, channelId=channel).code == "CHANNEL_NOT_FOUND"


def test_without_any_site_the_only_source_is_meant(worker, world, source):
    worker.visit(PAGE)
    assert the_click().source_id == source
    world.source(world.campaign())
    assert refused(worker.visit, PAGE).code == "INVALID_PAYLOAD"


@pytest.mark.parametrize(
    "fields", [{}, {"href": ""}, {"href": 5}, {"href": PAGE, "tempId": "x" * 99}]
)
def test_a_visit_that_cannot_be_is_refused_by_name(worker, site, client, fields):
    headers = {"Authorization": f"Bearer {worker.key}"}
    answer = client.post("/api/v1/events/visit", json=fields, headers=headers)
    error = answer.get_json()["error"]
    assert (answer.status_code, error["code"]) == (400, "INVALID_PAYLOAD")
    assert error["message"].startswith(("href:", "tempId:"))


def test_an_fbp_that_is_none_is_no_success(worker, site):
    assert not worker.update_fbp(TEMP, "not an fbp")


def test_no_channel_or_site_of_another_account_is_named(client, other, worker, site):
    stranger = Worker(client, key_of(other))
    assert refused(stranger.invite, channelId="-1001234567890").code == "CHANNEL_NOT_FOUND"
    assert refused(stranger.visit, PAGE, siteId=str(site)).code == "INVALID_PAYLOAD"


# Keys, errors and limits


def test_a_missing_a_wrong_and_a_suspended_key_are_told_apart(client, account, make_account):
    def code(headers):
        answer = client.get("/api/v1/leads/1", headers=headers)
        return answer.status_code, answer.get_json()["error"]["code"]

    assert code({}) == (401, "AUTH_REQUIRED")
    assert code({"Authorization": "Bearer atk_live_00000001_" + "x" * 32}) == (401, "INVALID_KEY")
    assert code({"Authorization": f"Bearer {account.key}"}) == (404, "LEAD_NOT_FOUND")
    unpaid = make_account(tariff="cat", paid_until=1)
    assert code({"Authorization": f"Bearer {key_of(unpaid)}"}) == (402, "SUBSCRIPTION_INACTIVE")
    banned = make_account(status=1)
    assert code({"Authorization": f"Bearer {key_of(banned)}"}) == (401, "REVOKED_KEY")


def test_too_many_calls_are_told_to_wait(worker, monkeypatch):
    few = Limit("few-callers", per_minute=0.01, burst=1)
    monkeypatch.setattr(rate_limits, "AUTHENTICATED", few)
    assert refused(worker.lead, 1).code == "LEAD_NOT_FOUND"
    error = refused(worker.lead, 1)
    assert (error.status, error.code) == (429, "RATE_LIMITED")
    assert error.retry_after >= 1


def test_paths_methods_and_bodies_that_are_not_there_have_the_same_shape(client, account):
    headers = {"Authorization": f"Bearer {account.key}"}
    for method, path, body, status in (
        ("GET", "/events/nothing", b"", 404),
        ("GET", "/events/visit", b"", 404),
        ("GET", "/leads/ann", b"", 404),
        ("POST", "/events/visit", b"[1]", 400),
        ("POST", "/events/visit", b'{"href": NaN}', 400),
        ("POST", "/events/visit", b"x" * 300_000, 413),
        ("POST", "/events/conversion", b"\xff", 400),
    ):
        answer = client.open(
            f"/api/v1{path}", method=method, data=body,
            headers={**headers, "Content-Type": "application/json"},
        )  # fmt: skip
        assert answer.status_code == status, path
        assert set(answer.get_json()["error"]) == {"code", "message"}


def test_a_page_of_any_host_may_ask_and_read(client, worker, site):
    preflight = client.options("/api/v1/events/visit", headers={"Origin": "https://a.example"})
    assert (preflight.status_code, preflight.headers["Access-Control-Allow-Origin"]) == (204, "*")
    assert "Idempotency-Key" in preflight.headers["Access-Control-Allow-Headers"]
    headers = {"Authorization": f"Bearer {worker.key}"}
    for body in ({"href": PAGE}, {}):
        answer = client.post("/api/v1/events/visit", json=body, headers=headers)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "X-Idempotent-Replay" in answer.headers["Access-Control-Expose-Headers"]


def test_a_session_in_a_cookie_opens_nothing_here(client, new_session):
    client.set_cookie("session", new_session())
    assert client.get("/api/v1/leads/1").status_code == 401
