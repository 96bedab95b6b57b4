from __future__ import annotations

import pytest

from app.extensions import db
from app.models import Postback

NOON = 1_780_000_000


def _ids(answer):
    return [row["id"] for row in answer["data"]]


def test_a_lead_has_every_documented_field(api, world):
    campaign = world.campaign()
    lead = world.lead(campaign, subscriber=9876543210)
    assert api.get("leads/list") == {
        "status": "ok",
        "data": [
            {
                "id": lead,
                "campaign": campaign,
                "subscriber": 9876543210,
                "username": "alice",
                "click": "abc456xyz",
                "status": 2,
                "start_time": "2026-05-28 20:26:40",
                "join_time": "2026-05-28 20:27:40",
                "updated": "2026-05-28 20:27:40",
            }
        ],
        "total": 1,
    }
    world.lead(campaign, join_time=None, state=0)
    assert api.get("leads/list")["data"][0]["join_time"] == "0000-00-00 00:00:00"


def test_leads_are_filtered_and_counted(api, world):
    first, second = world.campaign(), world.campaign()
    early = world.lead(first, start_time=NOON - 10, state=0)
    middle = world.lead(second, start_time=NOON, state=2)
    late = world.lead(first, start_time=NOON + 10, state=2)
    assert _ids(api.get("leads/list")) == [late, middle, early]
    assert _ids(api.get("leads/list", campaign=first)) == [late, early]
    assert _ids(api.get("leads/list", campaign=first, status=2)) == [late]
    assert _ids(api.get("leads/list", **{"from": NOON, "to": NOON + 9})) == [middle]
    assert _ids(api.get("leads/list", **{"from": NOON + 10})) == [late]
    part = api.get("leads/list", limit=1, offset=1)
    assert (_ids(part), part["total"]) == ([middle], 3)
    assert api.get("leads/list", offset=3) == {"status": "ok", "data": [], "total": 3}


def test_a_walk_by_before_is_not_moved_by_new_leads(api, world):
    campaign = world.campaign()
    leads = [world.lead(campaign) for _ in range(5)]
    seen = _ids(api.get("leads/list", limit=2))
    world.lead(campaign)
    while part := _ids(api.get("leads/list", limit=2, before=seen[-1])):
        seen += part
    assert seen == leads[::-1]


def test_a_limit_beyond_the_most_is_cut(api, world):
    campaign = world.campaign()
    for _ in range(3):
        world.lead(campaign)
    assert len(_ids(api.get("leads/list", limit=100000))) == 3


@pytest.mark.parametrize("path", ["leads/list", "postbacks/list", "journal/list"])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("limit", "0"),
        ("limit", "-1"),
        ("limit", "ten"),
        ("limit", "1e3"),
        ("limit", ""),
        ("offset", "-1"),
        ("offset", "9" * 30),
        ("from", "2026-01-01"),
        ("to", "NaN"),
        ("before", "0"),
    ],
)
def test_a_wrong_filter_is_named(api, world, path, field, value):
    answer = api.get(path, **{"bot": world.bot(), "chat": -1, field: value})
    assert (answer["error"], answer["field"]) == ("param", field)


def test_filters_of_the_largest_integers_find_nothing(api):
    query = {"from": -(2**63), "to": 2**63 - 1, "offset": 2**63 - 1}
    for path in ("leads/list", "postbacks/list"):
        assert api.get(path, **query) == {"status": "ok", "data": [], "total": 0}
        assert api.get(path, campaign=2**63 - 1)["error"] == "notfound"


def test_a_lead_is_explained_by_its_journal_and_postbacks(api, world):
    campaign = world.campaign()
    lead = world.lead(campaign, first_name="Alice", last_name="B", language="en", premium=True)
    world.entry(1, -5, lead_id=lead, action=5, decision="created", username="alice")
    world.entry(1, -5, lead_id=lead, action=1, decision="approve reported")
    world.entry(1, -5, lead_id=lead + 1000)
    first = world.postback(3, lead_id=lead, kind="wait", sequence=1)
    second = world.postback(3, lead_id=lead, sequence=2)
    data = api.get("leads/get", id=lead)["data"]
    assert (data["id"], data["first_name"], data["premium"]) == (lead, "Alice", True)
    assert [entry["decision"] for entry in data["journal"]] == ["created", "approve reported"]
    assert data["journal"][0]["action"] == 5
    assert [postback["id"] for postback in data["postbacks"]] == [first, second]


def test_a_journal_row_has_every_documented_field(api, world):
    bot = world.bot(status=3)
    paid = world.entry(bot, -5, lead_id=12, campaign_id=7, username="al", decision="x")
    organic = world.entry(bot, -5, action=2, time=NOON + 5)
    world.entry(bot, -6)
    answer = api.get("journal/list", bot=bot, chat=-5)
    assert answer["total"] == 2
    assert _ids(answer) == [organic, paid]
    assert answer["data"][1] == {
        "id": paid,
        "bot": bot,
        "chat": -5,
        "subscriber": 5,
        "username": "al",
        "action": 1,
        "type": "paid",
        "campaign": 7,
        "lead": 12,
        "time": "2026-05-28 20:26:40",
    }
    assert (answer["data"][0]["type"], answer["data"][0]["lead"]) == ("organic", 0)
    assert _ids(api.get("journal/list", bot=bot, chat=-5, action=2)) == [organic]
    assert _ids(api.get("journal/list", bot=bot, chat=-5, to=NOON)) == [paid]
    for action in (0, 8):
        wrong = api.get("journal/list", bot=bot, chat=-5, action=action)
        assert wrong["field"] == "action"


def test_a_journal_needs_bot_and_chat(api, world):
    assert api.get("journal/list", chat=-5)["field"] == "bot"
    assert api.get("journal/list", bot=world.bot())["field"] == "chat"


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


@pytest.mark.parametrize(
    ("verb", "path", "kind"),
    [
        ("get", "leads/get", "lead"),
        ("get", "postbacks/get", "postback"),
        ("post", "postbacks/resend", "postback"),
    ],
)
def test_anothers_object_and_a_missing_one_are_the_same(api, others_world, verb, path, kind):
    if kind == "lead":
        foreign = others_world.lead(others_world.campaign())
    else:
        foreign = others_world.postback(others_world.destination())
    call = getattr(api, verb)
    assert call(path, id=foreign) == call(path, id=10**12)
    assert call(path, id=foreign)["error"] == "notfound"


def test_lists_never_show_anothers_rows(api, others_world):
    campaign = others_world.campaign()
    lead = others_world.lead(campaign)
    dest = others_world.destination()
    postback = others_world.postback(dest, lead_id=lead)
    bot = others_world.bot()
    others_world.entry(bot, -5)
    nothing = {"status": "ok", "data": [], "total": 0}
    assert api.get("leads/list") == nothing
    assert api.get("postbacks/list") == nothing
    for path, query in (
        ("leads/list", {"campaign": campaign}),
        ("leads/list", {"before": lead}),
        ("leads/export", {"campaign": campaign}),
        ("postbacks/list", {"campaign": campaign}),
        ("postbacks/list", {"dest": dest}),
        ("postbacks/list", {"lead": lead}),
        ("postbacks/list", {"before": postback}),
    ):
        missing = dict.fromkeys(query, 10**9)
        assert api.get(path, **query) == api.get(path, **missing)
        assert api.get(path, **query)["error"] == "notfound"
    assert api.get("camp/list") == {"status": "ok", "data": []}
    assert api.get("journal/list", bot=bot, chat=-5)["error"] == "notfound"
    assert api.get("journal/list", bot=10**9, chat=-5)["error"] == "notfound"
    assert api.post("postbacks/resend", dest=dest)["error"] == "notfound"
    assert _state(postback) == (4, 0)
