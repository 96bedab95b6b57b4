import re

import pytest

from app.extensions import db
from app.models import BotChat, BotFaultKind, Campaign, CampaignDay
from app.services.bots import faults

NOON = 1_780_000_000
URL = "https://track.example/?click={click}"
#: What a campaign says of its desk when nothing was said.
DESK = {
    "desk": "off",
    "desk_cap": 0,
    "desk_quiet_from": 0,
    "desk_quiet_to": 0,
    "greet": "",
    "greet_button": "",
    "greet_media": "",
    "greet_on": "request",
}
NONE = {"pb_wait": "", "pb_hold": "", "pb_approve": "", "pb_cancel": "", "pb_trash": ""}


@pytest.fixture
def place(world):
    """A bot and a chat it administers."""
    bot = world.bot()
    return {"bot": bot, "chat": world.chat(bot)}


def test_a_campaign_has_every_documented_field(api, world):
    bot = world.bot(username="mytrackbot")
    chat = world.chat(bot)
    added = api.post("camp/add", bot=bot, chat=chat, welcome="hi", unsub_window=60, pb_wait=URL)
    campaign, code = added["data"]["id"], added["data"]["code"]
    assert set(added["data"]) == {"id", "code"}
    assert re.fullmatch("[a-z0-9]{6}", code)
    row = api.get("camp/list")["data"][0]
    created = row.pop("created")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", created)
    assert row == {
        "id": campaign,
        "code": code,
        "bot": bot,
        "bot_username": "mytrackbot",
        "chat": chat,
        "chat_title": "My Channel",
        "status": 0,
        "starts": 0,
        "confirms": 0,
        "unsubs": 0,
        "bot_status": 0,
        "faults": [],
    }
    assert api.get("camp/get", id=campaign)["data"] == {
        **row,
        "created": created,
        "welcome": "hi",
        "welcome_fault": "",
        "media": "",
        "button_text": "",
        "button_url": "",
        **NONE,
        "pb_wait": URL,
        "unsub_window": 60,
        "notify_level": 0,
        **DESK,
    }


def test_the_window_is_thirty_days_when_nothing_is_said(api, place):
    campaign = api.post("camp/add", **place)["data"]["id"]
    assert api.get("camp/get", id=campaign)["data"]["unsub_window"] == 2_592_000


def test_counters_are_summed_over_days(api, world):
    first, second = world.campaign(), world.campaign()
    db.session.add_all(
        [
            CampaignDay(campaign_id=first, day=1, starts=5, holds=4, confirms=3, unsubs=1),
            CampaignDay(campaign_id=first, day=2, starts=1, holds=0, confirms=1, unsubs=1),
        ]
    )
    rows = {row["id"]: row for row in api.get("camp/list")["data"]}
    assert [rows[first][name] for name in ("starts", "confirms", "unsubs")] == [6, 4, 2]
    assert [rows[second][name] for name in ("starts", "confirms", "unsubs")] == [0, 0, 0]


def test_campaigns_are_listed_newest_first_also_those_of_a_deleted_bot(api, world):
    first = world.campaign(bot_id=world.bot(status=3))
    second = world.campaign(status=1)
    world.campaign(status=2)
    assert [row["id"] for row in api.get("camp/list")["data"]] == [second, first]


def test_a_campaign_tells_what_keeps_its_bot_from_working(api, world):
    bot = world.bot(username="mytrackbot", status=1)
    silent, other = (world.campaign(bot_id=bot, chat_id=chat) for chat in (-5, -6))
    world.campaign(bot_id=world.bot())
    faults.begin(bot, BotFaultKind.RIGHTS, NOON, chat_id=-5, title="My Channel")
    faults.begin(bot, BotFaultKind.TOKEN, NOON)
    db.session.commit()
    told = {row["id"]: row["faults"] for row in api.get("camp/list")["data"]}
    (of_bot,) = (row["faults"] for row in api.get("bots/list")["data"] if row["faults"])
    assert told[silent] == of_bot
    assert [(fault["fault"], fault["chat"]) for fault in told[other]] == [("token", 0)]
    assert "@mytrackbot" in told[other][0]["message"]
    assert list(told.values()).count([]) == 1
    one = api.get("camp/get", id=other)["data"]
    assert (one["faults"], one["bot_status"]) == (told[other], 1)


def test_a_bot_must_be_ones_own_and_living(api, world, others_world):
    foreign, dead = others_world.bot(), world.bot(status=3)
    for bot in (foreign, dead, 10**9):
        chat = world.chat(bot) if bot != 10**9 else -1
        assert api.post("camp/add", bot=bot, chat=chat)["error"] == "notfound"


def test_a_chat_must_be_administered_by_that_bot(api, world, place):
    lost = world.chat(place["bot"], is_admin=False, chat_id=-77)
    elsewhere = world.chat(world.bot())
    for chat in (lost, elsewhere, -1):
        assert api.post("camp/add", bot=place["bot"], chat=chat)["error"] == "nochat"


def test_a_chat_is_tracked_once_in_the_whole_installation(api, place, other, others_world):
    api.post("camp/add", **place)
    assert api.post("camp/add", **place)["error"] == "exists"
    theirs = others_world.bot()
    others_world.chat(theirs, chat_id=place["chat"])
    assert api(other.key).post("camp/add", bot=theirs, chat=place["chat"])["error"] == "exists"


def test_a_deleted_campaign_frees_its_chat_and_is_gone(api, place):
    campaign = api.post("camp/add", **place)["data"]["id"]
    assert api.post("camp/del", id=campaign) == {"status": "ok"}
    assert api.get("camp/get", id=campaign)["error"] == "notfound"
    assert api.post("camp/del", id=campaign)["error"] == "notfound"
    assert api.get("camp/list")["data"] == []
    assert api.post("camp/add", **place)["status"] == "ok"


def test_a_plan_limits_living_campaigns(api, make_account, others_world, other):
    db.session.get(type(other), other.id).tariff = "kitten"
    bot = others_world.bot()
    first, second = others_world.chat(bot), others_world.chat(bot)
    theirs = api(other.key)
    kept = theirs.post("camp/add", bot=bot, chat=first)["data"]["id"]
    assert theirs.post("camp/add", bot=bot, chat=second)["error"] == "limit"
    theirs.post("camp/del", id=kept)
    assert theirs.post("camp/add", bot=bot, chat=second)["status"] == "ok"


def test_a_refused_addition_leaves_nothing(api, place):
    answer = api.post("camp/add", **place, pb_hold="gopher://x/")
    assert (answer["error"], answer["field"]) == ("param", "pb_hold")
    answer = api.post("camp/add", **place, button_url="gopher://x/")
    assert (answer["error"], answer["field"]) == ("param", "button_url")
    assert api.get("camp/list")["data"] == []
    assert api.post("camp/add", **place)["status"] == "ok"


def test_an_edit_keeps_what_it_does_not_name(api, place):
    texts = {
        "welcome": "a",
        "media": "",
        "button_text": "b",
        "button_url": "https://x.example/{click}",
    }
    campaign = api.post("camp/add", **place, **texts, notify_level=2, pb_wait=URL)["data"]["id"]
    before = api.get("camp/get", id=campaign)["data"]
    assert api.post("camp/edit", id=campaign) == {"status": "ok"}
    assert api.get("camp/get", id=campaign)["data"] == before
    assert api.post("camp/edit", id=campaign, media="", notify_level=3) == {"status": "ok"}
    assert api.get("camp/get", id=campaign)["data"] == before | {"media": "", "notify_level": 3}


def test_an_edit_of_one_template_rewrites_all_five(api, place):
    campaign = api.post("camp/add", **place, pb_wait=URL, pb_hold=URL)["data"]["id"]
    edited = api.post("camp/edit", id=campaign, pb_trash=URL)
    assert "pb_wait, pb_hold: emptied, since another template was sent" in edited["warnings"][0]
    data = api.get("camp/get", id=campaign)["data"]
    assert {field: data[field] for field in NONE} == NONE | {"pb_trash": URL}
    edited = api.post("camp/edit", id=campaign, pb_trash="")
    assert not edited.get("warnings"), "whoever empties it, knows"
    data = api.get("camp/get", id=campaign)["data"]
    assert {field: data[field] for field in NONE} == NONE


def test_a_new_welcome_clears_its_fault(api, world):
    campaign = world.campaign(welcome="*x", welcome_fault="can't parse entities")
    assert api.get("camp/get", id=campaign)["data"]["welcome_fault"] == "can't parse entities"
    api.post("camp/edit", id=campaign, welcome="*x*")
    assert api.get("camp/get", id=campaign)["data"]["welcome_fault"] == ""


def test_bot_and_chat_cannot_be_edited(api, place, world):
    campaign = api.post("camp/add", **place)["data"]["id"]
    api.post("camp/edit", id=campaign, bot=world.bot(), chat=-5, status=2, account_id=1, code="x")
    data = api.get("camp/get", id=campaign)["data"]
    assert (data["bot"], data["chat"], data["status"]) == (place["bot"], place["chat"], 0)


def test_a_campaign_is_paused_and_resumed(api, world):
    campaign = world.campaign()
    for pause, status in ((1, 1), (1, 1), (0, 0), ("true", 1), (False, 0)):
        assert api.post("camp/pause", id=campaign, pause=pause) == {"status": "ok"}
        assert api.get("camp/get", id=campaign)["data"]["status"] == status
    for wrong in (2, "yes", 1.0, None, [1]):
        assert api.post("camp/pause", id=campaign, pause=wrong)["field"] == "pause"
    assert api.post("camp/pause", id=campaign)["field"] == "pause"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("welcome", "x" * 4097),
        ("welcome", "a\x00b"),
        ("welcome", 5),
        ("welcome", {"a": 1}),
        ("media", "../etc"),
        ("button_text", "x" * 65),
        ("unsub_window", -1),
        ("unsub_window", 1.5),
        ("unsub_window", True),
        ("unsub_window", "12x"),
        ("unsub_window", 2**63),
        ("unsub_window", 10**30),
        ("notify_level", 4),
        ("notify_level", -1),
        ("bot", 0),
        ("bot", "abc"),
        ("chat", None),
        ("chat", "-"),
    ],
)
def test_a_wrong_value_is_named_and_nothing_is_kept(api, place, field, value):
    answer = api.post("camp/add", **{**place, field: value})
    assert (answer["error"], answer["field"]) == ("param", field)
    assert answer["message"].startswith(f"{field}: ")
    assert api.get("camp/list")["data"] == []


@pytest.mark.parametrize(
    ("verb", "path", "rest"),
    [
        ("get", "camp/get", {}),
        ("get", "camp/link", {}),
        ("get", "camp/link", {"click": "a.b"}),
        ("post", "camp/edit", {"welcome": "mine now"}),
        ("post", "camp/pause", {"pause": 1}),
        ("post", "camp/del", {}),
    ],
)
def test_anothers_campaign_and_a_missing_one_are_the_same(api, others_world, verb, path, rest):
    foreign = others_world.campaign(welcome="theirs")
    call = getattr(api, verb)
    answer = call(path, id=foreign, **rest)
    assert answer == call(path, id=10**12, **rest)
    assert answer["error"] == "notfound"
    db.session.expire_all()
    kept = db.session.get(Campaign, foreign)
    assert (kept.welcome, kept.status, kept.created) == ("theirs", 0, NOON)


def test_a_title_is_that_of_the_chat(api, place):
    db.session.query(BotChat).one().title = "Новости 🗞"
    api.post("camp/add", **place)
    assert api.get("camp/list")["data"][0]["chat_title"] == "Новости 🗞"


KEYED = "https://k.example/ab12/postback?subid={click}&status="


def test_templates_known_to_be_wrong_are_kept_and_warned_of(api, place):
    atop = "https://your-keitaro.com/postback?subid={click}&status="
    wrong = {"pb_wait": f"{atop}lead", "pb_approve": f"{atop}sale"}
    added = api.post("camp/add", **place, **wrong)
    (warning,) = added["warnings"]
    assert warning.startswith("pb_wait, pb_approve: ")
    campaign = added["data"]["id"]
    assert api.get("camp/get", id=campaign)["data"]["pb_wait"] == wrong["pb_wait"]
    assert api.post("camp/edit", id=campaign, **wrong) == {"status": "ok", "warnings": [warning]}
    (emptied,) = api.post("camp/edit", id=campaign, pb_wait=f"{KEYED}lead")["warnings"]
    assert emptied.startswith("pb_approve: emptied")
    assert api.post("camp/edit", id=campaign, unsub_window=5) == {"status": "ok"}


# What cannot work is refused when it is typed, and what hardly will is warned of.

HIDDEN = "https://t.example/pb?c={click}&s=approve%E2%80%8B"


@pytest.mark.parametrize(
    "url",
    [
        HIDDEN,
        "https://t.example/#/pb?c={click}",
        "https://t.example/pb?c={click}&amp;s=1",
        "https://t.example/pb?c={{click}}",
        "http://10.0.0.1/pb?c={click}",
        "http://localhost/pb?c={click}",
    ],
)
def test_an_address_that_can_never_work_is_refused_wherever_it_is_typed(
    api, world, change_settings, url
):
    change_settings(outbound_allow=())
    campaign = world.campaign()
    told = api.post("camp/edit", id=campaign, pb_hold=url)
    assert (told["error"], told["field"]) == ("param", "pb_hold")
    told = api.post("profile/postbacks", pb_approve=url)
    assert (told["error"], told["field"]) == ("param", "pb_approve")
    told = api.post("postbacks/test", template=url, event="approve")
    assert (told["error"], told["field"]) == ("param", "template")
    told = api.post("dest/add", tracker="url_template", settings={"urls": {"hold": url}})
    assert (told["error"], told["field"]) == ("param", "settings.urls.hold")
    assert api.get("camp/get", id=campaign)["data"]["pb_hold"] == ""


def test_macros_that_are_none_are_warned_of_in_a_welcome_and_a_button(api, world):
    texts = {"welcome": "Hi {first_name}", "button_url": "https://l.example/?s={subid1}&c={click}"}
    told = api.post("camp/edit", id=world.campaign(), **texts)
    assert told["status"] == "ok"
    assert [warning.split(" is ")[0] for warning in told["warnings"]] == [
        "welcome: {first_name}",
        "button_url: {subid1}",
    ]


def test_a_button_may_lead_to_a_page_behind_a_fragment_and_not_to_a_hidden_character(api, world):
    campaign = world.campaign()
    assert api.post("camp/edit", id=campaign, button_url="https://l.example/#/a?c={click}") == {
        "status": "ok"
    }
    assert api.post("camp/edit", id=campaign, button_url=HIDDEN)["field"] == "button_url"


def test_a_mark_without_an_end_is_warned_of_when_it_is_typed(api, world):
    told = api.post("camp/edit", id=world.campaign(), welcome="Hi *you")
    assert told["status"] == "ok"
    [warning] = told["warnings"]
    assert warning.startswith("welcome: Can't find end of the entity starting at byte offset 3")


@pytest.mark.parametrize("fields", [{"button_url": "https://e.com/"}, {"button_text": "Go"}])
def test_an_edit_of_the_button_clears_the_fault_too(api, world, fields):
    campaign = world.campaign(welcome="x", welcome_fault="BUTTON_URL_INVALID")
    api.post("camp/edit", id=campaign, **fields)
    assert api.get("camp/get", id=campaign)["data"]["welcome_fault"] == ""
