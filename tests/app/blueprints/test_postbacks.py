"""What postbacks/* show, and what is sent again."""

from app.extensions import db
from app.models import Postback
from tests.support.exports import as_text, exported

NOON = 1_780_000_000


def _ids(answer):
    return [row["id"] for row in answer["data"]]


def test_a_postback_tells_every_attempt(api, world):
    dest = world.destination()
    postback = world.postback(dest, lead_id=77, reason="the schedule is used up", tries=2)
    world.attempt(postback)
    world.attempt(postback, number=2, status=None, answer="", next_try=None, reason="timeout")
    row = {
        "id": postback,
        "campaign": 1,
        "lead": 77,
        "dest": dest,
        "event": "approve",
        "state": "failed",
        "reason": "the schedule is used up",
        "tries": 2,
        "occurrence": 0,
        "due": "2026-05-28 20:26:40",
        "created": "2026-05-28 20:26:40",
        "settled": "2026-05-28 20:26:49",
    }
    assert api.get("postbacks/list") == {"status": "ok", "data": [row], "total": 1}
    data = api.get("postbacks/get", id=postback)["data"]
    attempts = data.pop("attempts")
    assert data == {**row, "sent": {"id": "e1", "kind": "approve"}}
    assert attempts[0] == {
        "id": attempts[0]["id"],
        "occurrence": 0,
        "number": 1,
        "step": "",
        "started": "2026-05-28 20:26:40",
        "ms": 12,
        "request": "GET https://t.example/?token=***",
        "status": 500,
        "answer": "oops",
        "verdict": "retry",
        "reason": "HTTP 500",
        "next_try": "2026-05-28 20:26:45",
    }
    assert (attempts[1]["status"], attempts[1]["next_try"]) == (0, "0000-00-00 00:00:00")


def test_postbacks_are_filtered(api, world):
    one, two = world.destination(), world.destination()
    campaign = world.campaign()
    lead = world.lead(campaign)
    failed = world.postback(one, lead_id=lead, campaign_id=campaign)
    late = {"created": NOON + 100.5, "settled": None, "lead_id": 77, "campaign_id": 77}
    waiting = world.postback(two, kind="wait", state=0, **late)
    assert _ids(api.get("postbacks/list")) == [waiting, failed]
    for query in (
        {"dest": one},
        {"lead": lead},
        {"campaign": campaign},
        {"lead": lead, "state": "failed"},
        {"campaign": campaign, "dest": one, "event": "approve", "state": "failed"},
        {"event": "approve"},
        {"state": "failed"},
        {"to": NOON},
    ):
        assert _ids(api.get("postbacks/list", **query)) == [failed]
    assert _ids(api.get("postbacks/list", **{"from": NOON + 100})) == [waiting]
    assert api.get("postbacks/list", state="lost")["field"] == "state"
    assert api.get("postbacks/list", state=4)["field"] == "state"
    assert api.get("postbacks/list", event="sale")["field"] == "event"


def _state(postback):
    db.session.expire_all()
    row = db.session.get(Postback, postback)
    return row.state, row.occurrence


def test_one_postback_is_sent_again(api, world):
    postback = world.postback(world.destination())
    assert api.post("postbacks/resend", id=postback)["data"] == {"count": 1}
    assert _state(postback) == (0, 1)
    assert api.post("postbacks/resend", id=postback)["data"] == {"count": 0}


def test_what_a_filter_finds_is_sent_again(api, world):
    dest, elsewhere = world.destination(), world.destination()
    failed = [world.postback(dest), world.postback(dest)]
    delivered, spared = world.postback(dest, state=2), world.postback(elsewhere)
    answer = api.post("postbacks/resend", state="failed", dest=dest)
    assert answer["data"] == {"count": 2}
    assert [_state(postback)[0] for postback in failed] == [0, 0]
    assert (_state(delivered)[0], _state(spared)[0]) == (2, 4)
    assert api.post("postbacks/resend", state="failed", dest=dest)["data"] == {"count": 0}


def test_nothing_is_sent_again_without_a_filter(api, world):
    postback = world.postback(world.destination())
    assert api.post("postbacks/resend")["field"] == "id"
    assert _state(postback) == (4, 0)


def test_the_export_of_postbacks_is_their_list_in_csv(api, client, account, world, others_world):
    dest = world.destination()
    lead = world.lead(world.campaign())
    for number in range(3):
        world.postback(dest, lead_id=lead, sequence=number, reason='a,"b', created=NOON + number)
    world.postback(world.destination(), state=2)
    others_world.postback(theirs := others_world.destination())
    for chosen in ({}, {"dest": dest}, {"lead": lead}, {"state": "delivered"}, {"to": NOON}):
        listed = api.get("postbacks/list", **chosen)["data"]
        assert listed
        assert exported(client, account, "postbacks", **chosen) == as_text(listed)
    assert api.get("postbacks/export", dest=theirs)["error"] == "notfound"
