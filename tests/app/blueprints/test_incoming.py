"""Other servers tell of conversions at /in/<key>, and trackers hear of each once."""

import hashlib
import hmac
import json
import threading
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from app.domain.conversions import dialects
from app.extensions import db
from app.models import Account, AccountStatus, Campaign, CampaignStatus, Conversion, Postback
from app.sandbox.telegram import people
from app.services.conversions import keys, reception
from app.services.trackers import destinations
from plugins.contract import ConversionKind
from tests.support.delivery import Exchange, alter

ANN = people.Person(101, "Ann", username="ann")
T = 1_800_000_000
TRACKER = "http://127.0.0.2/buy?c={click}&v={value}&cur={value_currency}&n={name}&id={event_id}&s={status}"
HEARD = dict.fromkeys(ConversionKind, TRACKER)


@pytest.fixture
def key(stage):
    """A key of the stage's account, whose tracker takes conversions."""
    destinations.add(
        stage.account, tracker="url_template", settings={"urls": HEARD}, campaign=stage.campaign
    )
    return keys.add(stage.account, title="Casino").key


@pytest.fixture
def lead(stage):
    """Ann, who came with the click c-1."""
    stage.play(people.start(ANN, f"{stage.code}-c-1", T))
    return stage.lead(ANN.id)


def tell(client, key, method="get", **params):
    with client.application.app_context():
        if method == "get":
            return client.get(f"/in/{key}", query_string=params)
        return client.post(f"/in/{key}", **({method: params} if method != "post" else params))


def conversions():
    rows = db.session.scalars(select(Conversion).order_by(Conversion.id)).all()
    db.session.expunge_all()
    db.session.commit()
    return rows


def reported():
    rows = db.session.scalars(
        select(Postback).where(Postback.kind.in_(list(ConversionKind))).order_by(Postback.id)
    ).all()
    db.session.expunge_all()
    db.session.commit()
    return rows


def test_a_purchase_reaches_the_lead_the_tracker_and_the_lists(stage, client, key, lead, deliver):
    answer = tell(
        client, key, event="purchase", value="49.50", currency="usd", tid="t1", click="c-1"
    )
    assert (answer.status_code, answer.text, answer.mimetype) == (200, "ok\n", "text/plain")
    (row,) = conversions()
    assert (row.lead_id, row.value_micro, row.currency) == (lead.id, 49_500_000, "USD")
    exchange = Exchange()
    deliver(exchange)
    (request,) = [one for one in exchange.sent if "/buy" in one.url]
    assert parse_qs(urlsplit(request.url).query, keep_blank_values=True) == {
        "c": ["c-1"], "v": ["49.5"], "cur": ["USD"], "n": [""], "s": ["purchase"],
        "id": [f"{stage.code}-{lead.id}-c{row.id}"],
    }  # fmt: skip


def test_the_owner_sees_it_on_the_lead_and_in_the_list(client, key, lead, stage, make_key):
    tell(client, key, event="deposit", value="5", currency="EUR", tid="t1", click="c-1", note="hi")
    api = make_key(stage.account)
    shown = api.get("leads/get", id=lead.id)["data"]["conversions"][0]
    assert shown == api.get("events/list")["data"][0]
    assert shown == api.get("events/get", id=shown["id"])["data"]
    assert (shown["event"], shown["name"], shown["value"]) == ("purchase", "deposit", "5")
    assert (shown["lead"], shown["campaign"], shown["note"]) == (lead.id, stage.campaign, "hi")
    assert api.get("events/list", lead=lead.id, event="refund")["data"] == []


def test_five_equal_posts_in_parallel_are_one_row_and_one_postback(client, key, lead):
    answers = []

    def post():
        other = client.application.test_client()
        answers.append(
            tell(
                other,
                key,
                "data",
                event="purchase",
                value="7",
                currency="USD",
                tid="t1",
                click="c-1",
            )
        )

    threads = [threading.Thread(target=post) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [200] * 5
    assert sum(answer.text == "ok\n" for answer in answers) == 1
    assert len(conversions()) == len(reported()) == 1


@pytest.mark.parametrize(
    "params",
    [
        {
            "tracker.event": "resale", "tracker.cost": "12.5", "tracker.currency": "USD",
            "tracker.tid": "t9", "clickid": "c-1",
        },
        {"subid": "c-1", "status": "sale", "payout": "12.5", "tid": "t9", "currency": "USD"},
        {"click": "c-1", "event": "deposit", "value": "12.5", "eid": "t9", "currency": "USD"},
    ],
)  # fmt: skip
def test_common_senders_are_understood_by_their_own_names(client, key, lead, params):
    assert tell(client, key, **params).status_code == 200
    (row,) = conversions()
    assert (row.kind, row.value_micro, row.tid) == ("purchase", 12_500_000, "t9")
    assert row.lead_id == lead.id


def test_json_and_forms_are_read_and_the_body_wins_over_the_query(client, key, lead):
    body = {"tracker": {"event": "reg", "tid": 7}, "click": "c-1", "time": 1_700_000_000_123}
    with client.application.app_context():
        answer = client.post(f"/in/{key}?click=other&note=n", json=body)
    assert answer.status_code == 200
    (row,) = conversions()
    assert (row.kind, row.tid, row.click, row.note) == ("register", "7", "c-1", "n")
    assert row.time == 1_700_000_000


def test_a_second_deposit_of_the_same_lead_is_an_event_of_its_own(client, key, lead):
    for tid in ("t1", "t2"):
        tell(client, key, event="deposit", value="5", currency="USD", tid=tid, click="c-1")
    assert [row.tid for row in conversions()] == ["t1", "t2"]
    first, second = reported()
    assert first.event != second.event
    assert second.sequence == first.sequence + 1


def test_a_refund_is_below_zero_and_finds_its_lead_by_the_tid_alone(client, key, lead):
    tell(client, key, event="purchase", value="5", currency="USD", tid="t1", click="c-1")
    tell(client, key, event="refund", value="5", currency="USD", tid="t1")
    tell(client, key, event="purchase", value="-2", currency="USD", tid="t2", click="c-1")
    assert [(row.kind, row.value_micro) for row in conversions()] == [
        ("purchase", 5_000_000), ("refund", -5_000_000), ("refund", -2_000_000),
    ]  # fmt: skip
    assert {row.lead_id for row in conversions()} == {lead.id}


def test_without_a_tid_equal_events_count_once_and_the_sender_is_warned(client, key, lead):
    texts = [
        tell(client, key, event="deposit", value="5", currency="USD", click="c-1").text
        for _ in range(2)
    ]
    assert ["no tid" in text for text in texts] == [True, True]
    assert len(conversions()) == len(reported()) == 1
    assert tell(client, key, event="reg", click="c-1").text == "ok\n"


def test_a_value_that_comes_later_is_filled_in_and_reported_under_the_same_event(client, key, lead):
    tell(client, key, event="purchase", tid="t1", click="c-1")
    tell(client, key, event="purchase", tid="t1", click="c-1", value="8", currency="USD")
    tell(client, key, event="purchase", tid="t1", click="c-1", value="9", currency="USD")
    (row,) = conversions()
    assert (row.value_micro, row.revision) == (8_000_000, 0)
    events = [json.loads(one.event) for one in reported()]
    assert [event["value"] for event in events] == ["", "8"]
    assert events[0]["id"] == events[1]["id"]


def test_a_click_nobody_knows_yet_is_kept_and_nothing_is_reported(client, key, stage):
    answer = tell(client, key, event="deposit", value="5", currency="USD", tid="t1", click="c-1")
    assert answer.status_code == 200
    (row,) = conversions()
    assert (row.lead_id, reported()) == (None, [])


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"click": "c-1"}, "event"),
        ({"event": "x" * 41, "click": "c-1"}, "event"),
        ({"event": "custom", "click": "c-1"}, "name"),
        ({"event": "sale", "tid": "", "click": "{subid}"}, "click"),
        ({"event": "sale", "click": "c-1", "value": "1,5", "currency": "USD"}, "value"),
        ({"event": "sale", "click": "c-1", "value": "1e5", "currency": "USD"}, "value"),
        ({"event": "sale", "click": "c-1", "value": "9" * 13, "currency": "USD"}, "value"),
        ({"event": "sale", "click": "c-1", "value": "5"}, "currency"),
        ({"event": "sale", "click": "c-1", "value": "5", "currency": "US$"}, "currency"),
        ({"event": "sale", "click": "c-1", "time": "yesterday"}, "time"),
        ({"event": "sale", "lead": "x"}, "lead"),
        ({"event": "sale", "click": "c-1", "tid": "t" * 129}, "tid"),
        ({"event": "sale", "click": "c" * 257}, "click"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_name(client, key, lead, params, field):
    answer = tell(client, key, **params)
    assert answer.status_code == 400
    assert answer.text.startswith(f"{field}: ")
    assert conversions() == []


def test_an_id_that_lost_digits_as_a_number_is_refused_and_no_other_number_is(client, key, lead):
    told = '{"event": "sale", "click": "c-1", "at": 1e30, "tid": %s}'
    for tid in ("123456789012345678901", "1.5e300"):
        answer = tell(client, key, "post", data=told % tid)
        assert (answer.status_code, answer.text[:5]) == (400, "tid: ")
    assert tell(client, key, "post", data=told % "18446744073709551615").status_code == 200
    assert [row.tid for row in conversions()] == ["18446744073709551615"]


@pytest.mark.parametrize("params", [{"lead": "999"}, {"subscriber": "5"}, {"tid": "t"}])
def test_somebody_who_is_not_there_is_not_found(client, key, lead, params):
    assert tell(client, key, event="reg", **params).status_code == 404
    assert conversions() == []


def test_a_lead_is_found_by_its_own_id_and_by_the_persons(client, key, lead):
    assert tell(client, key, event="reg", lead=lead.id, tid="a").status_code == 200
    assert tell(client, key, event="reg", subscriber=ANN.id, tid="b").status_code == 200
    assert {row.lead_id for row in conversions()} == {lead.id}


def test_the_lead_of_another_account_is_not_found(client, lead, make_account):
    theirs = keys.add(make_account().id, title="x").key
    assert tell(client, theirs, event="reg", lead=lead.id).status_code == 404
    assert tell(client, theirs, event="reg", subscriber=ANN.id).status_code == 404
    tell(client, theirs, event="reg", click="c-1")
    assert [row.lead_id for row in conversions()] == [None]


def test_a_key_of_one_campaign_reaches_nobody_of_another(client, lead, stage, make_stage):
    owner = db.session.get(Account, stage.account)
    elsewhere = make_stage(owner=owner)
    narrow = keys.add(stage.account, title="x", campaign=elsewhere.campaign).key
    assert tell(client, narrow, event="reg", lead=lead.id).status_code == 404
    tell(client, narrow, event="reg", click="c-1")
    assert conversions()[0].lead_id is None


@pytest.mark.parametrize("key", ["x", "x" * 24, "é" * 24, "%00" * 8])
def test_an_unknown_key_is_not_found_whatever_it_looks_like(client, stage, key):
    assert tell(client, key, event="reg", click="c").status_code == 404


def test_a_replaced_or_deleted_key_stops_at_once(client, key, stage, lead):
    (row,) = keys.listed(stage.account)
    number = row.id
    new = keys.rotate(stage.account, number).key
    assert tell(client, key, event="reg", click="c-1").status_code == 404
    assert tell(client, new, event="reg", click="c-1").status_code == 200
    keys.remove(stage.account, number)
    assert tell(client, new, event="reg", click="c-1").status_code == 404


def test_only_named_addresses_may_use_a_key_that_names_some(client, stage, lead):
    far = keys.add(stage.account, title="x", addresses=["203.0.113.0/24"]).key
    near = keys.add(stage.account, title="x", addresses=["127.0.0.0/8"]).key
    assert tell(client, far, event="reg", click="c-1").status_code == 403
    assert tell(client, near, event="reg", click="c-1").status_code == 200


@pytest.mark.parametrize("method", ["get", "post"])
def test_calls_of_a_signed_key_need_the_signature_of_what_they_say(client, stage, lead, method):
    made = keys.add(stage.account, title="x", signed=True)
    said = b"event=reg&click=c-1"
    right = hmac.new(made.secret.encode(), said, hashlib.sha256).hexdigest()
    statuses = []
    for signature in ("", "0" * 64, right, f"sha256={right.upper()}"):
        headers = {"X-Gatepost-Signature": signature}
        with client.application.app_context():
            if method == "get":
                answer = client.get(f"/in/{made.key}?{said.decode()}", headers=headers)
            else:
                answer = client.post(f"/in/{made.key}", data=said, headers=headers)
        statuses.append(answer.status_code)
    assert statuses == [403, 403, 200, 200]


def test_what_is_not_signed_is_not_read_beside_a_signed_body(client, stage, lead):
    made = keys.add(stage.account, title="x", signed=True)
    said = b"event=reg&click=c-1"
    signature = hmac.new(made.secret.encode(), said, hashlib.sha256).hexdigest()
    with client.application.app_context():
        client.post(
            f"/in/{made.key}?tid=other",
            data=said,
            headers={"X-Gatepost-Signature": signature},
        )
    assert conversions()[0].tid != "other"


def test_a_large_body_is_refused(client, key):
    with client.application.app_context():
        answer = client.post(f"/in/{key}", data=b"x" * (16 * 1024 + 1))
    assert answer.status_code == 413


def test_a_look_at_the_address_records_nothing(client, key, lead):
    with client.application.app_context():
        assert client.head(f"/in/{key}?event=reg&click=c-1").status_code == 200
    assert conversions() == []


def test_a_key_that_is_used_too_often_is_told_when_to_come_again(client, key, stage, monkeypatch):
    monkeypatch.setattr(reception.CALLS_OF_KEY, "clock", lambda: float(T))
    number = keys.listed(stage.account)[0].id
    db.session.commit()
    for _ in range(reception.CALLS_OF_KEY.burst):
        reception.CALLS_OF_KEY.hit(str(number))
    answer = tell(client, key, event="reg", click="c-1")
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1


def test_whoever_may_not_use_a_key_does_not_use_it_up(client, stage, lead, monkeypatch):
    monkeypatch.setattr(reception.CALLS_OF_KEY, "burst", 2)
    monkeypatch.setattr(reception.CALLS_OF_KEY, "clock", lambda: float(T))
    far = keys.add(stage.account, title="x", addresses=["203.0.113.0/24"])
    signed = keys.add(stage.account, title="x", signed=True)
    for key in (far.key, signed.key):
        for _ in range(5):
            assert tell(client, key, event="reg", click="c-1").status_code == 403
    keys.edit(stage.account, far.id, addresses=[])
    assert tell(client, far.key, event="reg", click="c-1").status_code == 200


def test_many_keys_of_an_account_are_no_more_than_one(client, stage, lead, monkeypatch):
    monkeypatch.setattr(reception.CALLS_OF_ACCOUNT, "burst", 3)
    monkeypatch.setattr(reception.CALLS_OF_ACCOUNT, "clock", lambda: float(T))
    made = [keys.add(stage.account, title="x").key for _ in range(4)]
    statuses = [tell(client, key, event="reg", click="c-1").status_code for key in made]
    assert statuses == [200, 200, 200, 429]


def test_a_suspended_account_records_nothing(client, key, stage, lead):
    db.session.get(Account, stage.account).status = AccountStatus.BANNED
    db.session.commit()
    assert tell(client, key, event="reg", click="c-1").status_code == 403
    assert conversions() == []


def test_in_a_paused_campaign_it_is_kept_and_not_reported(client, key, stage, lead):
    alter(Campaign, status=CampaignStatus.PAUSED)
    assert tell(client, key, event="reg", click="c-1").status_code == 200
    assert ([row.lead_id for row in conversions()], reported()) == ([lead.id], [])


def test_the_time_of_a_fast_clock_is_now(client, key, lead):
    tell(client, key, event="reg", click="c-1", time=int(time.time()) + 10**6)
    assert conversions()[0].time <= time.time()


@pytest.mark.parametrize("text", ["%00", "a%ED%A0%80", "%FF"])
def test_no_text_in_a_call_causes_a_fault(client, key, lead, text):
    """NUL, half of a surrogate pair, and what is no UTF-8: no column stores them."""
    names = [name for names in dialects.NAMES.values() for name in names]
    for name in [*names, text]:
        call = f"event=reg&click=c-1&tid=7&{name}={text}".encode()
        if name in ("event", "click", "tid"):
            call = call.replace(f"{name}=".encode(), b"other=", 1)
        with client.application.app_context():
            asked = client.get(f"/in/{key}?{call.decode()}")
            sent = client.post(f"/in/{key}", data=call, content_type="text/plain")
        assert {asked.status_code, sent.status_code} <= {200, 400, 404}, name
    with client.application.app_context():
        assert client.get(f"/in/{text}").status_code == 404
