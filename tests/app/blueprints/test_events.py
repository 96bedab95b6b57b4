"""events/*: what others told us of leads."""

from sqlalchemy import select

from app.extensions import db


def test_an_event_is_listed_and_read(api, world):
    campaign = world.campaign()
    lead = world.lead(campaign)
    number = world.conversion(
        campaign_id=campaign, lead_id=lead, tid="t1", click="c-1", name="deposit", key_id=3
    )
    (row,) = api.get("events/list", campaign=campaign)["data"]
    assert row == api.get("events/get", id=number)["data"]
    assert row.pop("time") == row.pop("created")
    assert row == {
        "id": number, "event": "purchase", "name": "deposit", "campaign": campaign, "lead": lead,
        "click": "c-1", "value": "49.5", "currency": "USD", "tid": "t1", "note": "", "key": 3,
    }  # fmt: skip


def test_one_without_a_lead_or_a_value_says_so(api, world):
    world.conversion(value_micro=None, currency="")
    (row,) = api.get("events/list", lead=0)["data"]
    assert (row["lead"], row["campaign"], row["value"]) == (0, 0, "")


def test_those_of_another_account_are_not_found(api, others_world):
    assert api.get("events/get", id=others_world.conversion())["error"] == "notfound"
    assert api.get("events/list")["total"] == 0


BUY = {"event": "deposit", "value": "49.5", "currency": "USD", "tid": "t1"}


def test_an_event_is_reported_corrected_and_counted(api, world):
    lead = world.lead(world.campaign(), click="c-1")
    answer = api.post("events/add", **BUY, click="c-1")
    assert answer == {
        "status": "ok",
        "data": {"id": answer["data"]["id"], "lead": lead, "is_new": True},
    }
    assert api.post("events/add", **BUY, click="c-1")["data"]["is_new"] is False
    api.post("events/value", id=answer["data"]["id"], value="60")
    assert api.get("events/get", id=answer["data"]["id"])["data"]["value"] == "60"
    assert api.get("stats/conversions")["data"] == [
        {"event": "purchase", "currency": "USD", "count": 1, "value": "60"}
    ]


def test_without_a_tid_the_caller_is_warned(api, world):
    lead = world.lead(world.campaign())
    answer = api.post("events/add", event="deposit", lead=lead)
    assert answer["warnings"] == ["without tid an equal event would count once"]
    assert "warnings" not in api.post("events/add", event="reg", lead=lead)


def test_a_call_is_done_once_under_its_idempotency_key(client, account, world):
    lead = world.lead(world.campaign())

    def post(key, **more):
        headers = {"Authorization": f"Bearer {account.key}", "Idempotency-Key": key}
        return client.post(
            "/api/events/add.json", json={**BUY, "lead": lead, **more}, headers=headers
        )

    first, again = post("k1"), post("k1")
    assert first.get_json() == again.get_json()
    assert "X-Idempotent-Replay" not in first.headers
    assert again.headers["X-Idempotent-Replay"] == "true"
    assert post("k1", value="5").get_json()["error"] == "exists"
    long = post("k" * 129).get_json()
    assert (long["error"], long["field"]) == ("param", "Idempotency-Key")


def test_events_are_exported_as_csv(client, account, world):
    world.conversion(tid="=cmd()", note="n")
    headers = {"Authorization": f"Bearer {account.key}"}
    text = client.get("/api/events/export.json", headers=headers).text
    names, row, _ = text.split("\r\n")
    assert names.startswith("id,event,name,campaign,lead,click,value,currency,tid,note")
    assert ",49.5,USD,'=cmd(),n," in row


def test_sums_of_an_empty_range_are_refused_and_those_of_others_not_seen(api, others_world):
    answer = api.get("stats/conversions", **{"from": 10, "to": 5})
    assert (answer["error"], answer["field"]) == ("param", "from")
    campaign = others_world.campaign()
    assert api.get("stats/conversions", campaign=campaign)["error"] == "notfound"


def test_an_erased_person_leaves_the_money_and_no_mark(api, world):
    campaign = world.campaign()
    lead = world.lead(campaign, click="c-of-ann", subscriber=77)
    world.destination(campaign_id=campaign, events=511)
    api.post("events/add", **BUY | {"tid": "order-of-ann"}, click="c-of-ann", note="note-of-ann")
    api.post("leads/erase", subscriber=77)
    (row,) = api.get("leads/get", id=lead)["data"]["conversions"]
    assert (row["value"], row["currency"]) == ("49.5", "USD")
    stored = [repr(db.session.execute(select(table)).all()) for table in db.metadata.sorted_tables]
    assert not [text for text in stored if "of-ann" in text]
