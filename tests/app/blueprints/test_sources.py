"""sources/*: links for ads, of one account's own campaigns."""

import pytest
import sqlalchemy as sa

from app.extensions import db
from app.models import Source, SourceDay


@pytest.fixture
def campaign(world):
    return world.campaign()


def made(api, campaign, **fields):
    return api.post("sources/add", campaign=campaign, title="Reels, June", **fields)["data"]


def test_a_source_is_made_listed_and_read(api, campaign):
    source = made(api, campaign, click_param="cid", sub_map={"creative": "sub1"})
    row = api.get("sources/get", id=source["id"])["data"]
    assert row.pop("created")
    assert row == {
        "id": source["id"], "campaign": campaign, "code": source["code"], "title": "Reels, June",
        "click_param": "cid", "sub_map": {"creative": "sub1"}, "status": 0,
        "clicks": 0, "repeats": 0, "previews": 0, "paused": 0, "visits": 0, "fallbacks": 0,
        "mode": "start", "link_ttl": 86_400, "lookback": 2_592_000, "fallback": "start",
        "bridge": False,
    }  # fmt: skip
    assert [one["id"] for one in api.get("sources/list")["data"]] == [source["id"]]
    assert api.get("sources/list", campaign=campaign)["data"][0]["code"] == source["code"]


def test_what_its_link_counted_on_all_days_is_summed_up(api, campaign):
    source = made(api, campaign)["id"]
    db.session.add_all(
        SourceDay(source_id=source, day=day, clicks=2, repeats=1, previews=3, paused=0)
        for day in (20_000, 20_001)
    )
    db.session.commit()
    row = api.get("sources/get", id=source)["data"]
    assert [row[name] for name in ("clicks", "repeats", "previews", "paused")] == [4, 2, 6, 0]


def test_absent_fields_stay_when_a_source_is_edited(api, campaign):
    source = made(api, campaign, click_param="cid")["id"]
    assert api.post("sources/edit", id=source, title="July")["status"] == "ok"
    row = api.get("sources/get", id=source)["data"]
    assert (row["title"], row["click_param"]) == ("July", "cid")


def test_a_source_is_paused_resumed_and_deleted(api, campaign):
    source = made(api, campaign)["id"]
    for pause in (True, False):
        api.post("sources/pause", id=source, pause=pause)
        assert api.get("sources/get", id=source)["data"]["status"] == int(pause)
    api.post("sources/del", id=source)
    assert api.get("sources/get", id=source)["error"] == "notfound"
    assert api.get("sources/list")["data"] == []
    assert api.post("sources/edit", id=source, title="x")["error"] == "notfound"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", "x" * 65),
        ("click_param", "a b"),
        ("click_param", "a&b=c"),
        ("sub_map", "no JSON"),
        ("sub_map", ["sub1"]),
        ("sub_map", {"a": "sub11"}),
        ("sub_map", {"a b": "sub1"}),
        ("sub_map", {"a": "sub1", "b": "sub1"}),
        ("sub_map", {f"p{number}": "sub1" for number in range(11)}),
    ],
)
def test_a_field_that_cannot_be_is_named_and_nothing_is_made(api, campaign, field, value):
    fields = {"campaign": campaign, "title": "x", field: value}
    answer = api.post("sources/add", **fields)
    assert (answer["error"], answer["field"].partition(".")[0]) == ("param", field)
    assert db.session.scalar(sa.select(sa.func.count(Source.id))) == 0


def test_another_accounts_campaign_and_source_are_not_found(api, other, others_world, campaign):
    theirs = others_world.campaign()
    assert api.post("sources/add", campaign=theirs, title="x")["error"] == "notfound"
    assert api.get("sources/list", campaign=theirs)["error"] == "notfound"
    source, stranger = made(api, campaign)["id"], api(other.key)
    for call in ("get", "link"):
        assert stranger.get(f"sources/{call}", id=source)["error"] == "notfound"
    for call, fields in (("edit", {"title": "x"}), ("pause", {"pause": True}), ("del", {})):
        assert stranger.post(f"sources/{call}", id=source, **fields)["error"] == "notfound"


def test_the_host_that_a_request_names_never_decides_a_link(
    api, account, client, campaign, change_settings
):
    source = made(api, campaign)

    def asked():
        return client.get(
            f"/api/sources/link.json?id={source['id']}",
            headers={"Authorization": f"Bearer {account.key}", "Host": "evil.example"},
        ).get_data(as_text=True)

    change_settings(public_url="")
    assert "evil.example" not in asked()
    assert "PUBLIC_URL" in asked()
    change_settings(public_url="https://t.example")
    assert f"https://t.example/c/{source['code']}" in asked()
    assert "evil.example" not in asked()


def test_links_are_made_for_each_tracker_whose_macro_is_known(
    api, world, campaign, change_settings
):
    change_settings(public_url="https://t.example")
    source = made(api, campaign, click_param="cid")
    link = f"https://t.example/c/{source['code']}"
    plain = {"kind": "source", "tracker": "", "macro": "", "link": link, "qr": ""}
    first, start = api.get("sources/link", id=source["id"])["data"]
    assert first == plain
    assert (start["kind"], start["link"].partition("?")[0][:13]) == ("start", "https://t.me/")
    fields = {"domain": "t.example.com", "postback_key": "0d6b0f1"}
    settings = {"preset": "keitaro", "fields": fields}
    added = api.post("dest/add", tracker="url_template", title="K", settings=settings)
    assert added["status"] == "ok", added
    links = api.get("sources/link", id=source["id"])["data"]
    assert links[0] == plain
    assert [one["link"] for one in links[1:-1]] == [f"{plain['link']}?cid={links[1]['macro']}"]


@pytest.mark.parametrize("mode", ["auto", "start", "invite", "request", "named"])
def test_a_source_shows_which_links_it_gives_and_for_how_long(api, campaign, mode):
    settings = {"mode": mode, "link_ttl": 3600, "lookback": 86_400, "fallback": "named"}
    settings["bridge"] = mode == "auto"
    source = made(api, campaign, **settings)["id"]
    row = api.get("sources/get", id=source)["data"]
    assert {name: row[name] for name in settings} == settings
    api.post("sources/edit", id=source, mode="start", fallback="none")
    row = api.get("sources/list")["data"][0]
    assert (row["mode"], row["fallback"], row["link_ttl"]) == ("start", "none", 3600)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mode", "telepathy"),
        ("mode", 2),
        ("fallback", ""),
        ("link_ttl", 3599),
        ("link_ttl", 604_801),
        ("lookback", 0),
        ("lookback", 7_776_001),
        ("force", "maybe"),
    ],
)
def test_what_no_link_can_be_is_refused(api, campaign, name, value):
    answer = api.post("sources/add", campaign=campaign, title="Reels", **{name: value})
    assert (answer["error"], answer["field"]) == ("param", name)


def test_a_public_chat_takes_invite_links_only_if_they_are_forced(api, world):
    bot = world.bot()
    campaign = world.campaign(bot_id=bot, chat_id=world.chat(bot, username="club"))
    answer = api.post("sources/add", campaign=campaign, title="Reels", mode="invite")
    assert (answer["error"], answer["field"]) == ("param", "mode")
    forced = api.post("sources/add", campaign=campaign, title="Reels", mode="invite", force=True)
    assert "Telegram does not tell" in forced["warnings"][0]
    source = made(api, campaign)["id"]
    assert api.post("sources/edit", id=source, mode="named")["error"] == "param"
    assert api.post("sources/edit", id=source, title="Shorts")["status"] == "ok"


def test_a_bot_that_may_not_invite_is_warned_of_when_a_source_needs_it(api, world):
    bot = world.bot(username="trackbot")
    campaign = world.campaign(bot_id=bot, chat_id=world.chat(bot, can_invite=False))
    answer = api.post("sources/add", campaign=campaign, title="Reels", mode="invite")
    assert answer["warnings"][0].startswith("@trackbot may not invite")
    source = answer["data"]["id"]
    assert "warnings" not in api.post("sources/edit", id=source, mode="start")
    assert api.post("sources/edit", id=source, mode="request")["warnings"]
