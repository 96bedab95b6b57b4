"""What each documented parameter does: filters, parts of lists, and edits field by field."""

import csv
import io
import itertools
import json

import pytest

from app.domain.attribution import How
from app.domain.lead import CounterDelta, Counts
from app.extensions import db
from app.models import Lead, Payment, PaymentState
from app.services.leads import counters
from tests.support.world import NOON

URL = "https://track.example/{}?click={{click}}"
TEMPLATES = ("pb_wait", "pb_hold", "pb_approve", "pb_cancel", "pb_trash")
FREE = {"status": "ok"}
#: Every field of a campaign that may be set, with a value that is no default.
TEXTS = {
    "welcome": "Hello, *{title}*!",
    "button_text": "Go",
    "button_url": "https://lander.example/?c={click}",
    "unsub_window": 0,
    "notify_level": 2,
    "desk": "rules",
    "desk_cap": 40,
    "desk_quiet_from": 1320,
    "desk_quiet_to": 420,
    "greet": "Hi, *{title}*",
    "greet_button": "Continue",
    "greet_on": "both",
}


@pytest.fixture(params=["json", "form"])
def post(request, client, account):
    """Writes as JSON, and as a form."""
    bearer = {"Authorization": f"Bearer {account.key}"}
    how = "json" if request.param == "json" else "data"

    def send(path, **body):
        answer = client.post(f"/api/{path}.json", headers=bearer, **{how: body})
        assert answer.status_code == 200
        return answer.get_json()

    return send


@pytest.fixture
def place(world):
    bot = world.bot()
    return {"bot": bot, "chat": world.chat(bot)}


@pytest.fixture
def listed(api):
    """The ids that a list finds, oldest first."""
    return lambda path, **query: sorted(row["id"] for row in api.get(path, **query)["data"])


def test_every_field_of_a_campaign_is_read_back(api, post, place):
    urls = {name: URL.format(name) for name in TEMPLATES}
    made = post("camp/add", **place, **TEXTS, **urls)["data"]["id"]
    told = api.get("camp/get", id=made)["data"]
    assert {name: told[name] for name in (*place, *TEXTS, *TEMPLATES)} == place | TEXTS | urls


@pytest.mark.parametrize("field", TEXTS)
def test_an_edit_changes_what_it_names_and_nothing_else(api, post, place, field):
    made = api.post("camp/add", **place, pb_hold=URL.format("hold"))["data"]["id"]
    before = api.get("camp/get", id=made)["data"]
    assert before[field] != TEXTS[field]
    assert post("camp/edit", id=made, **{field: TEXTS[field]}) == FREE
    assert api.get("camp/get", id=made)["data"] == before | {field: TEXTS[field]}
    assert api.post("camp/edit", id=made, **{field: before[field]}) == FREE
    assert api.get("camp/get", id=made)["data"] == before


@pytest.mark.parametrize("field", TEMPLATES)
def test_one_template_rewrites_a_campaigns_five_and_only_one_of_an_account(api, post, place, field):
    every = {name: URL.format(name) for name in TEMPLATES}
    made = api.post("camp/add", **place, **every)["data"]["id"]
    api.post("profile/postbacks", **every)
    fresh = URL.format("fresh")
    answer = post("camp/edit", id=made, **{field: fresh})
    emptied = ", ".join(name for name in TEMPLATES if name != field)
    (warning,) = answer.pop("warnings")  # a client of AlterCPA TOP ignores it
    assert (answer, warning.partition(":")[0]) == (FREE, emptied)
    told = api.get("camp/get", id=made)["data"]
    assert {name: told[name] for name in TEMPLATES} == dict.fromkeys(TEMPLATES, "") | {field: fresh}
    assert post("profile/postbacks", **{field: fresh}) == FREE
    told = api.get("profile/info")["data"]
    assert {name: told[name] for name in TEMPLATES} == every | {field: fresh}
    assert post("profile/postbacks", **{field: ""}) == FREE
    told = api.get("profile/info")["data"]
    assert {name: told[name] for name in TEMPLATES} == every | {field: ""}


@pytest.mark.parametrize("said", ["true", "1", "True", "TRUE", "false", "0", "False"])
def test_a_flag_is_said_in_four_ways(api, post, said):
    on = said.lower() in ("true", "1")
    api.post("profile/notify", leads=not on)
    assert post("profile/notify", leads=said) == FREE
    assert api.get("profile/info")["data"]["notify"] == {"tariff": True, "leads": on}


def test_a_chat_is_offered_while_no_campaign_tracks_it(api, world, place):
    second = world.chat(place["bot"], title="Another", type="supergroup")
    world.chat(place["bot"], is_admin=False)

    def offered():
        return {row["id"] for row in api.get("bots/chats", id=place["bot"])["data"]}

    assert offered() == {place["chat"], second}
    made = api.post("camp/add", **place)["data"]["id"]
    api.post("camp/pause", id=made, pause=1)
    assert offered() == {second}
    api.post("camp/del", id=made)
    assert offered() == {place["chat"], second}


def test_leads_come_by_fifty_and_two_hundred_at_most(api, world):
    campaign = world.campaign()
    times = {"start_time": NOON, "updated": NOON, "last_start_at": NOON, "state": 0}
    whose = {"account_id": world.account_id, "campaign_id": campaign, "bot_id": 1}
    db.session.add_all([Lead(subscriber=n, **times, **whose) for n in range(1, 204)])
    db.session.commit()

    def part(**query):
        answer = api.get("leads/list", **query)
        assert answer["total"] == 203
        return [row["subscriber"] for row in answer["data"]]

    assert part() == list(range(203, 153, -1))
    assert part(limit=200) == part(limit=201) == part(limit=10**9) == list(range(203, 3, -1))
    assert part(limit=2, offset=201) == [2, 1]
    assert part(limit=1) == [203]


@pytest.mark.parametrize(("path", "order"), [("bots/list", 1), ("camp/list", -1)])
def test_a_short_list_is_told_whole_or_in_parts(api, world, path, order):
    for _ in range(60):
        world.campaign()
    ids = [row["id"] for row in api.get(path)["data"]]
    assert len(ids) == 60
    assert ids == sorted(ids)[::order]
    assert [row["id"] for row in api.get(path, limit=7, offset=5)["data"]] == ids[5:12]
    assert [row["id"] for row in api.get(path, offset=55)["data"]] == ids[55:]
    assert api.get(path, offset=2**63 - 1) == {"status": "ok", "data": []}


def test_chats_are_told_in_parts_too(api, world):
    bot = world.bot()
    ids = [world.chat(bot, title=f"Chat {number}") for number in range(5)]
    parts = [api.get("bots/chats", id=bot, limit=2, offset=skip)["data"] for skip in (0, 2, 4)]
    assert [row["id"] for row in itertools.chain(*parts)] == ids


def _leads(world):
    one, two = world.campaign(), world.campaign()
    source = world.source(one)
    yield one
    yield source
    early = world.lead(one, start_time=NOON - 9, state=0, source_id=source, how=How.LINK)
    middle = world.lead(two, start_time=NOON, state=2, language="de")
    late = world.lead(one, start_time=NOON + 9, state=2, premium=True)
    yield from (early, middle, late)


def test_every_filter_of_the_leads_works_in_the_list_and_in_the_export(
    api, client, account, world, listed
):
    one, source, early, middle, late = _leads(world)
    bearer = {"Authorization": f"Bearer {account.key}"}
    for query, found in (
        ({}, [early, middle, late]),
        ({"campaign": one}, [early, late]),
        ({"status": 2}, [middle, late]),
        ({"status": 0}, [early]),
        ({"from": NOON}, [middle, late]),
        ({"to": NOON}, [early, middle]),
        ({"from": NOON - 9, "to": NOON - 1}, [early]),
        ({"campaign": one, "status": 2, "from": NOON, "to": NOON + 9}, [late]),
        ({"source": source}, [early]),
        ({"how": "link"}, [early]),
        ({"language": "de"}, [middle]),
        ({"premium": True}, [late]),
        ({"premium": False, "from": NOON}, [middle]),
    ):
        assert listed("leads/list", **query) == found, query
        assert api.get("leads/list", **query)["total"] == len(found)
        answer = client.get("/api/leads/export.json", query_string=query, headers=bearer)
        rows = csv.DictReader(io.StringIO(answer.get_data(as_text=True)))
        assert sorted(int(row["id"]) for row in rows) == found, query


def test_every_filter_of_the_journal_works(world, listed, place):
    bot, chat = place.values()
    old = world.entry(bot, chat, time=NOON - 9)
    new = world.entry(bot, chat, time=NOON, action=5)
    world.entry(bot, chat - 1)
    for query, found in (
        ({}, [old, new]),
        ({"action": 5}, [new]),
        ({"action": 1}, [old]),
        ({"action": 2}, []),
        ({"from": NOON}, [new]),
        ({"to": NOON - 1}, [old]),
        ({"limit": 1}, [new]),
        ({"limit": 1, "offset": 1}, [old]),
        ({"before": new}, [old]),
    ):
        assert listed("journal/list", bot=bot, chat=chat, **query) == found, query
    assert len(listed("journal/list")) == 3


@pytest.fixture
def owed(world):
    """Two postbacks that differ in all that can be asked for."""
    found = []
    for at, kind, state in ((NOON, "wait", 4), (NOON + 90, "cancel", 5)):
        campaign = world.campaign()
        whose = {"campaign_id": campaign, "lead_id": world.lead(campaign)}
        dest = world.destination()
        made = world.postback(dest, kind=kind, state=state, created=at + 0.25, **whose)
        found.append({"id": made, "dest": dest, "campaign": campaign, "lead": whose["lead_id"]})
    return found


FILTERS = {
    "campaign": lambda one: {"campaign": one["campaign"]},
    "lead": lambda one: {"lead": one["lead"]},
    "dest": lambda one: {"dest": one["dest"]},
    "event": lambda _: {"event": "wait"},
    "state": lambda _: {"state": "failed"},
    "to": lambda _: {"to": NOON},
    "from and to": lambda _: {"from": NOON, "to": NOON + 89},
}


@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_of_the_postbacks_works_in_the_list_and_when_sending_again(
    api, post, owed, listed, name
):
    one, two = owed
    query = FILTERS[name](one)
    assert listed("postbacks/list", **query) == [one["id"]]
    assert api.get("postbacks/list", **query)["total"] == 1
    assert post("postbacks/resend", **query) == {"status": "ok", "data": {"count": 1}}
    states = {row["id"]: row["occurrence"] for row in api.get("postbacks/list")["data"]}
    assert states == {one["id"]: 1, two["id"]: 0}


def test_postbacks_come_in_parts(listed, owed):
    one, two = (row["id"] for row in owed)
    assert listed("postbacks/list", limit=1) == [two]
    assert listed("postbacks/list", limit=1, offset=1) == [one]
    assert listed("postbacks/list", before=two) == [one]
    assert listed("postbacks/list", **{"from": NOON + 90}) == [two]


def test_destinations_come_by_time_and_in_parts(listed, world):
    old, new = world.destination(created=NOON - 9), world.destination()
    assert listed("dest/list") == [old, new]
    assert listed("dest/list", **{"from": NOON}) == [new]
    assert listed("dest/list", to=NOON - 1) == [old]
    assert listed("dest/list", limit=1) == [new]
    assert listed("dest/list", limit=1, offset=1) == listed("dest/list", before=new) == [old]


def test_payments_come_by_time_and_in_parts(listed, account):
    what = {"account_id": account.id, "tariff": "cat", "gateway": "test", "state": PaymentState.NEW}
    for at in (NOON - 9, NOON):
        db.session.add(Payment(ref=f"ref{at}", created=at, **what))
    db.session.commit()
    old, new = listed("tariff/history")
    assert listed("tariff/history", **{"from": NOON}) == [new]
    assert listed("tariff/history", to=NOON - 1) == [old]
    assert listed("tariff/history", limit=1) == [new]
    assert listed("tariff/history", offset=1) == listed("tariff/history", before=new) == [old]


@pytest.mark.parametrize("path", ["stats/summary", "stats/daily", "stats/retention"])
def test_statistics_are_of_all_of_one_campaign_or_of_one_bot(api, world, path):
    bot = world.bot()
    one, two, three = (world.campaign(bot_id=bot), world.campaign(bot_id=bot), world.campaign())
    day = NOON // 86_400 * 86_400
    for campaign, count in ((one, 1), (two, 10), (three, 100)):
        joined = CounterDelta(day, Counts(starts=count, confirms=count))
        counters.BatchCounts([(campaign, joined)]).save(db.session.connection())
    db.session.commit()

    def confirms(**query):
        span = {"from": day, "to": day + 86_399}
        told = json.dumps(api.get(path, **span, **query)["data"])
        return {number for number in (1, 10, 11, 100, 111) if f": {number}," in told}

    assert confirms() == {111}
    assert confirms(bot=bot) == {11}
    assert confirms(campaign=two) == {10}
    assert confirms(campaign=one, bot=bot) == {1}
    assert not confirms(campaign=three, bot=bot)


def test_a_try_is_of_the_campaign_the_click_and_the_event_that_are_named(api, post, world):
    campaign = world.campaign(code="abc123", chat_id=-100500)
    template = "https://t.example/?c={campaign}&chat={chat}&click={click}&s={status}&l={lead}"
    for event in (None, "wait", "hold", "approve", "cancel", "trash"):
        named = {"event": event} if event else {}
        answer = post("postbacks/test", template=template, campaign=campaign, click="k-1", **named)
        (step,) = answer["data"]["steps"]
        assert f"?c=abc123&chat=-100500&click=k-1&s={event or 'approve'}&l=" in step["url"]
        assert answer["data"]["sent"] is False
