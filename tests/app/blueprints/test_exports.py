"""exports/*: long lists as files: asked for, watched, read and deleted."""

import pytest

from app.extensions import db
from app.models import Export
from app.schemas.exported_lists import LISTS
from app.services.accounts.quotas import Quota
from app.services.exports import writer

NEVER = "0000-00-00 00:00:00"


def write():
    while writer.write_part(LISTS):
        pass


def text_of(client, account, number):
    bearer = {"Authorization": f"Bearer {account.key}"}
    answer = client.get(f"/api/exports/get.json?id={number}", headers=bearer)
    return answer.headers.get("Content-Disposition", ""), answer.get_data(as_text=True)


def test_a_file_is_asked_for_watched_read_and_deleted(api, client, account, world):
    campaign = world.campaign()
    world.lead(campaign, click="c1", state=1, start_time=1_780_000_000)
    world.lead(campaign, click="c2", state=0)
    number = api.post("exports/add", kind="leads", filters={"status": 1})["data"]["id"]
    (row,) = api.get("exports/list")["data"]
    assert (row["id"], row["kind"], row["query"]) == (number, "leads", "status=1")
    assert (row["state"], row["rows"], row["estimate"], row["ended"]) == ("writing", 0, 1, NEVER)
    assert api.get("exports/get", id=number)["error"] == "notfound"
    write()
    (row,) = api.get("exports/list")["data"]
    assert (row["state"], row["rows"], row["cut"]) == ("ready", 1, False)
    assert row["created"] < row["until"]
    name, text = text_of(client, account, number)
    assert name == f'attachment; filename="leads-{row["created"][:10]}.csv"'
    head, line = text.splitlines()
    assert head.startswith("id,campaign,subscriber,")
    assert ",c1,1,2026-05-28 20:26:40+00:00," in line
    assert api.post("exports/del", id=number) == {"status": "ok"}
    assert api.get("exports/list")["data"] == []
    assert api.post("exports/del", id=number)["error"] == "notfound"


@pytest.mark.parametrize(
    ("kind", "filters", "rows"),
    [
        ("leads", {"search": "c1"}, 1),
        ("postbacks", {"event": "hold", "state": "failed"}, 0),
        ("journal", {"action": 1}, 1),
        ("requests", {"state": "waiting", "premium": True}, 0),
    ],
)
def test_each_list_is_filtered_as_its_own_endpoint_does(api, world, kind, filters, rows):
    bot, dest = world.bot(), world.destination()
    campaign = world.campaign(bot_id=bot, chat_id=-1001)
    world.postback(dest, lead_id=world.lead(campaign, click="c1"), campaign_id=campaign)
    world.entry(bot, -1001, action=1)
    world.request(campaign)
    api.post("exports/add", kind=kind, filters=filters)
    write()
    (row,) = api.get("exports/list")["data"]
    assert (row["kind"], row["state"], row["rows"]) == (kind, "ready", rows)
    assert api.get(f"{kind}/list", **filters)["total"] == rows


def test_what_is_wrong_with_a_filter_is_said_and_no_file_is_made(api, world):
    for filters, message in (
        ({"status": 9}, "must be from 0 to 4"),
        ({"clik": "c1"}, "nknown"),
        ("[", "must be an object, or its JSON text"),
    ):
        answer = api.post("exports/add", kind="leads", filters=filters)
        assert (answer["error"], message in answer["message"]) == ("param", True), answer
        assert answer["field"].startswith("filters")
    assert api.post("exports/add", kind="bots")["field"] == "kind"
    answer = api.post("exports/add", kind="leads", filters={"campaign": world.campaign() + 1})
    assert answer["error"] == "notfound"
    assert db.session.query(Export).count() == 0


def test_more_than_an_account_may_have_are_refused(api):
    for _ in range(Quota.EXPORTS):
        assert api.post("exports/add", kind="journal")["status"] == "ok"
    answer = api.post("exports/add", kind="journal")
    assert answer["error"] == "limit"
    assert "3 prepared files" in answer["message"]


def test_the_neighbours_files_are_not_there(api, make_account):
    number = api.post("exports/add", kind="leads")["data"]["id"]
    write()
    other = api(make_account(tariff="tiger", paid_until=9_000_000_000).key)
    assert other.get("exports/list")["data"] == []
    assert other.get("exports/get", id=number)["error"] == "notfound"
    assert other.post("exports/del", id=number)["error"] == "notfound"
    assert len(api.get("exports/list")["data"]) == 1
