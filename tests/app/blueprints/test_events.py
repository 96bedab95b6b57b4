"""events/*: what others told us of leads."""

from __future__ import annotations


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
