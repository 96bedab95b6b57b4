"""Plans are bought, confirmed once, and stop what they should when they end."""

import contextlib
import io
import json
import time

import pytest
from sqlalchemy.exc import OperationalError

from app.extensions import db
from app.models import Account, Campaign, Lead, Payment
from app.sandbox.vendors.vendor import Manner
from app.services.accounts.concurrent_calls import CHECKS, NOTICES
from app.services.billing import tariffs
from app.services.billing.pushers import KnownPushers
from app.services.leads import process
from app.services.updates import inbox
from plugins.payments.signed import encode_body, sign

DAY = 86_400
KITTEN = {"code": "kitten", "name": "Kitten", "campaigns": 1, "price_usd": 0, "price_rub": 0}


@pytest.fixture
def poor(make_account):
    """An account without a paid plan."""
    return make_account()


@pytest.fixture
def mine(api, poor):
    return api(poor.key)


def state(account):
    db.session.expire_all()
    row = db.session.get(Account, account.id)
    found = row.tariff, row.paid_until
    db.session.commit()
    return found


def ref_of(answer):
    return answer["data"]["url"].rpartition("/")[2]


def push(client, gateway, ref):
    body, headers = gateway.notice(ref)
    return client.post("/api/pay/acp", data=body, headers=headers).get_json()


def test_the_plans_are_those_on_offer(api):
    data = api.get("tariff/list")["data"]
    assert data[0] == KITTEN
    assert [(plan["code"], plan["campaigns"], plan["price_usd"]) for plan in data[1:]] == [
        ("cat", 15, 24),
        ("tiger", -1, 88),
    ]


def test_without_a_gateway_no_paid_plan_is_sold(mine, poor):
    assert mine.post("tariff/buy", tariff="cat")["error"] == "gateway"
    assert mine.get("tariff/history") == {"status": "ok", "data": [], "total": 0}
    assert mine.post("tariff/buy", tariff="dog")["field"] == "tariff"
    assert state(poor) == ("kitten", None)


def test_a_plan_is_paid_and_pushed_once(client, mine, poor, gateway):
    answer = mine.post("tariff/buy", tariff="cat")
    ref = ref_of(answer)
    assert gateway.invoices[ref]["amount"] == 24
    assert gateway.invoices[ref]["notice_url"] == "https://gatepost.example/api/pay/acp"
    push(client, gateway, ref)
    assert state(poor) == ("kitten", None)
    gateway.pay(ref)
    assert push(client, gateway, ref) == {"status": "ok"}
    tariff, until = state(poor)
    assert tariff == "cat"
    assert abs(until - time.time() - 30 * DAY) < 600
    push(client, gateway, ref)
    mine.get("/api/pay/check", payment=ref)
    assert state(poor) == (tariff, until)
    (row,) = mine.get("tariff/history")["data"]
    assert (row["state"], row["amount"], row["currency"]) == ("paid", 24, "USD")
    assert (row["tariff"], row["gateway"]) == ("cat", "signed_gateway")


def test_a_buyer_who_comes_back_is_confirmed_by_asking(client, mine, poor, gateway):
    ref = ref_of(mine.post("tariff/buy", tariff="tiger"))
    path = f"/api/pay/check?payment={ref}"
    assert client.get(path).get_json()["data"]["state"] == "new"
    gateway.pay(ref)
    assert client.get(path).get_json()["data"]["state"] == "paid"
    assert state(poor)[0] == "tiger"
    assert client.get("/api/pay/check?payment=nothing").get_json()["error"] == "notfound"


def test_all_references_of_an_account_share_its_questions_to_the_gateway(client, mine, gateway):
    refs = [ref_of(mine.post("tariff/buy", tariff=plan)) for plan in ("cat", "tiger")]
    before = len(gateway.calls())
    paths = [f"/api/pay/check?payment={refs[number % 2]}" for number in range(40)]
    errors = [client.get(path).get_json().get("error") for path in paths]
    assert errors[-1] == "rate"
    assert len(gateway.calls()) - before == errors.count(None) <= 32


def test_few_questions_of_an_account_wait_for_the_gateway_at_once(client, mine, poor, gateway):
    ref = ref_of(mine.post("tariff/buy", tariff="cat"))
    before = len(gateway.calls())
    with contextlib.ExitStack() as waiting:
        for _ in range(4):
            waiting.enter_context(CHECKS.running(poor.id))
        assert client.get(f"/api/pay/check?payment={ref}").get_json()["error"] == "rate"
    assert len(gateway.calls()) == before
    assert client.get(f"/api/pay/check?payment={ref}").get_json()["data"]["state"] == "new"


def test_a_forged_push_changes_nothing(client, mine, poor, gateway):
    ref = ref_of(mine.post("tariff/buy", tariff="cat"))
    body = json.dumps({"ref": ref, "status": "paid", "amount": 24, "currency": "USD"})
    for headers in ({}, {"X-Signature": "00"}, {"X-Signature": "é"}):
        answer = client.post("/api/pay/acp", data=body, headers=headers).get_json()
        assert answer["error"] == "key"
    assert state(poor) == ("kitten", None)


def test_the_status_of_a_push_tells_whether_it_was_taken(client, mine, gateway, monkeypatch):
    ref = ref_of(mine.post("tariff/buy", tariff="cat"))
    gateway.pay(ref)
    body, headers = gateway.notice(ref)

    def status(headers=headers, body=body):
        return client.post("/api/pay/acp", data=body, headers=headers).status_code

    def raises(error):
        def settle(*_):
            raise error

        return settle

    assert status(headers={}) == 401
    assert status(body=b"x" * 1_000_000) == 413
    unknown = encode_body({"ref": "nobody", "status": "paid", "amount": 24, "currency": "USD"})
    assert status({"X-Signature": sign(unknown, gateway.secret)}, unknown) == 400
    for error, expected in (
        (OperationalError("SELECT 1", {}, ConnectionError()), 503),
        (ValueError("a fault of ours"), 500),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(tariffs, "settle", raises(error))
            assert status() == expected
    assert status() == 200


def test_where_there_is_no_gateway_a_push_is_answered_as_any_call(client):
    answer = client.post("/api/pay/acp", data=b"{}")
    assert (answer.status_code, answer.get_json()["error"]) == (200, "gateway")


def test_a_crowd_of_strangers_does_not_keep_the_gateway_out(
    client, mine, gateway, clean_redis, monkeypatch
):
    def forged(address):
        return client.post(
            "/api/pay/acp", data=b"{}", environ_overrides={"REMOTE_ADDR": address}
        ).status_code

    monkeypatch.setattr(tariffs, "PUSHERS", KnownPushers(lambda: clean_redis))
    cat, tiger = (ref_of(mine.post("tariff/buy", tariff=plan)) for plan in ("cat", "tiger"))
    gateway.pay(cat)
    push(client, gateway, cat)
    gateway.pay(tiger)
    with contextlib.ExitStack() as strangers:
        for number in range(32):
            strangers.enter_context(NOTICES.running(f"203.0.113.{number}"))
        assert forged("203.0.113.99") == 429
        monkeypatch.setattr(tariffs, "PUSHERS", KnownPushers(lambda: clean_redis))
        assert push(client, gateway, tiger) == {"status": "ok"}
    assert forged("203.0.113.99") == 401
    assert {row["state"] for row in mine.get("tariff/history")["data"]} == {"paid"}


@pytest.mark.parametrize("changes", [{"amount": 1}, {"currency": "RUB"}, {"currency": "XXX"}])
def test_another_sum_is_not_the_price(client, mine, poor, gateway, changes):
    ref = ref_of(mine.post("tariff/buy", tariff="cat"))
    gateway.pay(ref, **changes)
    push(client, gateway, ref)
    assert state(poor) == ("kitten", None)


def test_an_unpaid_invoice_is_shown_again_and_a_dead_gateway_is_told(mine, gateway):
    first = mine.post("tariff/buy", tariff="cat")
    assert mine.post("tariff/buy", tariff="cat") == first
    assert mine.post("tariff/buy", tariff="tiger") != first
    gateway.order(Manner.DROP)
    gateway.order(Manner.MALFORMED)
    for _ in range(2):
        account = mine.post("tariff/buy", tariff="kitten")
        assert account == {"status": "ok"}
    db.session.query(Payment).update({"url": ""})
    db.session.commit()
    assert mine.post("tariff/buy", tariff="cat")["error"] == "gateway"
    assert mine.post("tariff/buy", tariff="cat")["error"] == "gateway"


def test_a_renewal_is_added_to_the_end_of_the_plan(api, client, make_account, gateway):
    until = int(time.time()) + 2 * DAY
    cat = make_account(tariff="cat", paid_until=until)
    ref = ref_of(api(cat.key).post("tariff/buy", tariff="cat"))
    gateway.pay(ref)
    push(client, gateway, ref)
    assert state(cat) == ("cat", until + 30 * DAY)
    assert api(cat.key).post("tariff/buy", tariff="tiger")["error"] == "active"


def test_the_free_plan_takes_over_at_once_and_pauses_what_is_beyond_it(api, make_account, world_of):
    cat = make_account(tariff="cat", paid_until=int(time.time()) - 30 * DAY)
    oldest, *beyond = [world_of(cat.id).campaign() for _ in range(3)]
    mine = api(cat.key)
    assert mine.get("camp/list")["error"] == "unpaid"
    assert mine.post("tariff/buy", tariff="kitten") == {"status": "ok"}
    assert state(cat) == ("kitten", None)
    rows = {row["id"]: row["status"] for row in mine.get("camp/list")["data"]}
    assert rows == {oldest: 0, **dict.fromkeys(beyond, 1)}
    assert mine.post("camp/pause", id=beyond[0], pause=0)["error"] == "limit"
    mine.post("camp/pause", id=oldest, pause=1)
    assert mine.post("camp/pause", id=beyond[0], pause=0) == {"status": "ok"}


def test_after_grace_only_what_helps_to_pay_answers(api, make_account):
    now = int(time.time())
    grace = api(make_account(tariff="cat", paid_until=now - 6 * DAY).key)
    assert grace.get("camp/list")["status"] == "ok"
    lapsed = api(make_account(tariff="cat", paid_until=now - 8 * DAY).key)
    for path in ("camp/list", "leads/list", "stats/summary", "transfer/token"):
        assert lapsed.get(path)["error"] == "unpaid"
    for path in ("tariff/list", "tariff/history", "profile/info"):
        assert lapsed.get(path)["status"] == "ok"


@pytest.mark.parametrize(("ended", "tracked"), [(6, True), (8, False)])
def test_tracking_goes_on_in_grace_and_rests_after_it(
    live_app, make_account, world_of, ended, tracked
):
    now = int(time.time())
    cat = make_account(tariff="cat", paid_until=now - ended * DAY)
    world = world_of(cat.id)
    bot = world.bot()
    campaign = world.campaign(bot_id=bot, code="abc123")
    person = {"id": 5, "is_bot": False, "first_name": "P"}
    message = {"message_id": 1, "date": now, "from": person, "text": "/start abc123-c"}
    message["chat"] = {"id": 5, "type": "private"}
    inbox.store_updates(bot, [json.dumps({"update_id": 1, "message": message}).encode()])
    process.process_updates(seconds=60)
    found = db.session.query(Lead).filter(Lead.campaign_id == campaign).count()
    db.session.commit()
    assert bool(found) is tracked
    assert db.session.get(Campaign, campaign).status == 0
    db.session.commit()


def test_a_push_is_not_read_where_no_gateway_pushes(app, client, monkeypatch):
    class Body(io.BytesIO):
        def readinto(self, buffer):
            raise AssertionError("the body was read before the gateway was asked for")

        read = readinto

    monkeypatch.setitem(app.extensions, "gateway", None)
    answer = client.post("/api/pay/acp", input_stream=Body(b"x" * 1000))
    assert answer.get_json()["error"] == "gateway"
