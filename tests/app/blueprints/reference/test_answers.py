"""What each endpoint of AlterCPA TOP answers: every documented field, of its documented kind.

One row for each endpoint. A client of theirs reads these fields by these names.
"""

import json
import re

import pytest

from tests.support.world import NOON

TOKEN = "4242:AAsecret-part_of-the-token"


def matching(pattern):
    return lambda value: isinstance(value, str) and bool(re.fullmatch(pattern, value))


def number(value):
    return type(value) is int


def flag(value):
    return type(value) is bool


def words(value):
    return isinstance(value, str)


def one_of(*values):
    return lambda value: value in values and type(value) is type(values[0])


def fields(names, kind):
    return dict.fromkeys(names.split(), kind)


STAMP = matching(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
CODE = matching(r"[a-z0-9]{6}")
KEY = matching(r"\d+-\S{12,}")
TEMPLATES = fields("pb_wait pb_hold pb_approve pb_cancel pb_trash", words)
COUNTS = fields("starts holds confirms unsubs kicks leaves organic", number)
CAMPAIGN = {
    **fields("id bot chat starts confirms unsubs", number),
    **fields("bot_username chat_title", words),
    "code": CODE,
    "status": one_of(0, 1),
    "created": STAMP,
}
LEAD = {
    **fields("id campaign subscriber", number),
    **fields("username click", words),
    "status": one_of(0, 1, 2, 3, 4),
    **fields("start_time join_time updated", STAMP),
}
#: Endpoint → what it is asked with (names of objects stand for their ids), and its `data`.
READ = {
    "profile/info": (
        {},
        {
            **fields("id tariff_campaigns campaigns", number),
            **fields("name login tariff_name zone", words),
            "lang": one_of("en", "ru"),
            "tariff": one_of("kitten", "cat", "tiger"),
            "paid_until": STAMP,
            **TEMPLATES,
            "notify": {"tariff": flag, "leads": flag},
        },
    ),
    "profile/login": ({}, {"id": number, "name": words}),
    "profile/tracker": ({}, {"connected": flag, "domain": words}),
    "bots/list": (
        {},
        [
            {
                **fields("id tg", number),
                **fields("username name", words),
                "status": one_of(0, 1, 3),
                "created": STAMP,
            }
        ],
    ),
    "bots/chats": (
        {"id": "bot"},
        [{"id": number, "title": words, "type": one_of("channel", "group", "supergroup")}],
    ),
    "camp/list": ({}, [CAMPAIGN]),
    "camp/get": (
        {"id": "campaign"},
        {
            **CAMPAIGN,
            **fields("welcome media button_text button_url", words),
            **TEMPLATES,
            "unsub_window": number,
            "notify_level": one_of(0, 1, 2, 3),
        },
    ),
    "camp/link": (
        {"id": "campaign"},
        {"link": matching(r"https://t\.me/\w+\?start=\w+-\{click\}")},
    ),
    "leads/list": ({}, [LEAD]),
    "leads/get": (
        {"id": "lead"},
        {
            **LEAD,
            "journal": [{"decision": words, "time": STAMP}],
            "postbacks": [{"id": number, "state": words}],
        },
    ),
    "journal/list": (
        {"bot": "bot", "chat": "chat"},
        [
            {
                **fields("id bot chat subscriber campaign lead", number),
                "username": words,
                "action": one_of(1, 2, 3, 4, 5, 6, 7, 8, 9),
                "type": one_of("paid", "organic"),
                "time": STAMP,
            }
        ],
    ),
    "stats/summary": (
        {},
        {**COUNTS, "cr": lambda value: isinstance(value, float), "before": COUNTS},
    ),
    "stats/daily": ({}, [{**COUNTS, "date": matching(r"\d{4}-\d\d-\d\d")}]),
    "tariff/list": (
        {},
        [{**fields("code name", words), **fields("campaigns price_usd price_rub", number)}],
    ),
    "transfer/token": ({}, {"token": words}),
    "transfer/resolve": ({"token": "token"}, {"name": words, "paid": flag, "slots": number}),
    "postbacks/get": (
        {"id": "postback"},
        {
            **fields("id campaign lead dest tries", number),
            **fields("event state reason", words),
            **fields("due created settled", STAMP),
            "attempts": [
                {
                    **fields("number ms status", number),
                    **fields("request answer verdict reason", words),
                    **fields("started next_try", STAMP),
                }
            ],
        },
    ),
    "dest/list": (
        {},
        [
            {
                **fields("id campaign", number),
                **fields("tracker title status", words),
                "settings": {},
                "events": fields("wait hold approve cancel trash", flag),
            }
        ],
    ),
    "trackers/list": (
        {},
        [{**fields("key title version help", words), "fields": [{}], "events": [words]}],
    ),
}
#: Lists that tell how many rows there are in all.
COUNTED = {"leads/list", "journal/list", "postbacks/list", "dest/list", "tariff/history"}


def wrong(told, wanted, path="data"):
    """What is not as documented, by its path. More than documented is allowed."""
    if isinstance(wanted, list):
        if not isinstance(told, list) or not told:
            return [f"{path} is no list of anything"]
        rows = enumerate(told)
        return [fault for index, row in rows for fault in wrong(row, wanted[0], f"{path}.{index}")]
    if isinstance(wanted, dict):
        missing = [f"{path}.{name} is missing" for name in wanted if name not in told]
        there = [name for name in wanted if name in told]
        return missing + [
            fault for name in there for fault in wrong(told[name], wanted[name], f"{path}.{name}")
        ]
    return [] if wanted(told) else [f"{path} is {told!r}"]


@pytest.fixture
def things(api, world):
    """One of everything, by name."""
    bot = world.bot()
    chat, free = world.chat(bot), world.chat(bot)
    made = {"bot": bot, "chat": chat, "free": free}
    made["campaign"] = world.campaign(bot_id=bot, chat_id=chat, code="abc123")
    whose = {"campaign_id": made["campaign"]}
    made["lead"] = world.lead(made["campaign"], bot_id=bot)
    world.entry(bot, chat, lead_id=made["lead"], **whose)
    world.entry(bot, chat, action=2, **whose)
    made["dest"] = world.destination()
    made["postback"] = world.postback(made["dest"], lead_id=made["lead"], **whose)
    world.attempt(made["postback"])
    made["token"] = api.get("transfer/token")["data"]["token"]
    return made


@pytest.fixture
def session(api, new_session):
    """The API as the dashboard uses it, which may read all that a key may."""
    return api(new_session())


@pytest.mark.parametrize("path", READ)
def test_every_documented_field_is_there_and_of_its_kind(session, things, path):
    query, wanted = READ[path]
    answer = session.get(path, **{name: things[kind] for name, kind in query.items()})
    assert answer["status"] == "ok", answer
    assert wrong(answer["data"], wanted) == []
    assert ("total" in answer) is (path in COUNTED)


def test_never_is_the_zero_date_wherever_a_moment_may_be_missing(api, world, make_account):
    never = "0000-00-00 00:00:00"
    assert api(make_account().key).get("profile/info")["data"]["paid_until"] == never
    campaign = world.campaign()
    for state in (0, 1):
        lead = world.lead(campaign, state=state, join_time=None, username="", click="")
        row = api.get("leads/get", id=lead)["data"]
        assert (row["join_time"], row["username"], row["click"]) == (never, "", "")
    postback = world.postback(world.destination(), state=0, settled=None)
    assert api.get("postbacks/get", id=postback)["data"]["settled"] == never


def test_writes_that_return_something_return_what_is_documented(api, things, bot_api):
    bot_api.add_bot(TOKEN, "mytrackbot", "My Bot")
    added = api.post("bots/add", token=TOKEN)["data"]
    assert wrong(added, {"id": number, "username": words, "name": words}) == []
    campaign = api.post("camp/add", bot=things["bot"], chat=things["free"])["data"]
    assert wrong(campaign, {"id": number, "code": CODE}) == []
    assert wrong(api.post("transfer/token")["data"], {"token": words}) == []
    assert wrong(api.post("leads/erase", subscriber=1)["data"], {"count": number}) == []
    assert wrong(api.post("postbacks/resend", state="failed")["data"], {"count": number}) == []
    assert wrong(api.post("profile/apikey")["data"], {"key": KEY}) == []


def test_writes_with_nothing_to_return_answer_just_ok(api, things, bot_api):
    dest = {"tracker": "altercpa_lite", "settings": json.dumps({"domain": "a.example", "key": "k"})}
    made = api.post("dest/add", **dest)["data"]["id"]
    for path, body in {
        "profile/postbacks": {"pb_wait": ""},
        "profile/notify": {"leads": 0},
        "profile/lang": {"lang": "ru"},
        "profile/zone": {"zone": "Europe/Riga"},
        "camp/edit": {"id": things["campaign"], "welcome": "hi"},
        "camp/pause": {"id": things["campaign"], "pause": 1},
        "camp/del": {"id": things["campaign"]},
        "dest/edit": {"id": made, "title": "mine"},
        "dest/pause": {"id": made, "pause": 1},
        "dest/del": {"id": made},
        "bots/del": {"id": things["bot"]},
    }.items():
        assert api.post(path, **body) == {"status": "ok"}, path


def test_dates_are_utc(api, world):
    world.campaign(created=NOON)
    assert api.get("camp/list")["data"][0]["created"] == "2026-05-28 20:26:40"
