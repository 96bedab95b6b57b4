"""Deep links carry the click, or each tracker's macro for it, and warnings."""

import pytest


def test_a_link_carries_the_click_or_its_macro(api, world):
    campaign = world.campaign(bot_id=world.bot(username="mytrackbot"), code="abc123")
    link = api.get("camp/link", id=campaign)["data"]["link"]
    assert link == "https://t.me/mytrackbot?start=abc123-{click}"
    link = api.get("camp/link", id=campaign, click="a-B_9")["data"]["link"]
    assert link == "https://t.me/mytrackbot?start=abc123-a-B_9"
    assert api.get("camp/link", id=campaign, click="x" * 57)["status"] == "ok"


@pytest.mark.parametrize(
    "click",
    [
        *["x" * 58, "a.b", "{sub id}", "{subid", "{}", "{subid}]", "a b", "é", "a\n", "%00"],
        *["a.{subid}", "{subid}{", "a{}", "é{subid}", "x" * 57 + "{subid}", "a%b%", "a[b]"],
    ],
)
def test_a_click_that_telegram_would_not_carry_is_refused(api, world, click):
    answer = api.get("camp/link", id=world.campaign(), click=click)
    assert (answer["error"], answer["field"]) == ("param", "click")


@pytest.mark.parametrize(
    "macro",
    (
        "{click} {subid} {click_id} {{subid}} ${SUBID} [CLICK_ID] [[subid]] [subid] __CLICKID__ "
        "%%CLICK%% #subid# {1} kt-{subid} {subid}-kt_1 a{subid}b{sub1}c kt-__CLICKID__ kt_[subid]"
    ).split(),
)
def test_a_macro_is_left_for_the_tracker_to_fill_in(api, tracked, macro):
    assert api.get("camp/link", id=tracked, click=macro) == {
        "status": "ok",
        "data": {"link": tracker_link("abc123", macro), "trackers": []},
    }


def test_a_macro_of_another_tracker_is_warned_of(api, tracked):
    api.post("camp/edit", id=tracked, pb_approve=f"{KEYED}sale")
    assert "warnings" not in api.get("camp/link", id=tracked, click="{subid}")
    (warning,) = api.get("camp/link", id=tracked, click="{clickid}")["warnings"]
    assert "{subid}" in warning


# What stands beside an answer: the tracker's own link, and warnings.

PROSPER = "https://p.example/tracking202/static/gpb.php?subid={click}"
KEYED = "https://k.example/ab12/postback?subid={click}&status="


def tracker_link(campaign: str, macro: str) -> str:
    return f"https://t.me/mytrackbot?start={campaign}-{macro}"


@pytest.fixture
def tracked(world):
    return world.campaign(bot_id=world.bot(username="mytrackbot"), code="abc123")


def test_a_link_for_no_tracker_is_told_alone(api, tracked):
    assert api.get("camp/link", id=tracked) == {
        "status": "ok",
        "data": {"link": tracker_link("abc123", "{click}"), "trackers": []},
    }


def test_a_link_is_also_told_with_the_trackers_own_macro(api, tracked):
    api.post("camp/edit", id=tracked, pb_wait=f"{KEYED}lead", pb_approve=f"{KEYED}sale")
    settings = {"preset": "voluum", "fields": {"domain": "v.example"}}
    api.post("dest/add", tracker="url_template", settings=settings, campaign=tracked)
    data = api.get("camp/link", id=tracked)["data"]
    assert data["link"] == tracker_link("abc123", "{click}")
    assert data["trackers"] == [
        {
            "tracker": "Keitaro or Orbitra",
            "macro": "{subid}",
            "link": tracker_link("abc123", "{subid}"),
        },
        {"tracker": "Voluum", "macro": "{clickid}", "link": tracker_link("abc123", "{clickid}")},
    ]
    assert api.get("camp/link", id=tracked, click="abc")["data"]["trackers"] == []


def test_a_click_that_no_tracker_of_the_campaign_gave_out_is_warned_of(api, tracked):
    settings = {"preset": "prosper202", "fields": {"domain": "p.example"}}
    api.post("dest/add", tracker="url_template", settings=settings)
    answer = api.get("camp/link", id=tracked, click="abc")
    assert answer["data"]["link"] == tracker_link("abc123", "abc")
    (warning,) = answer["warnings"]
    assert warning.startswith("Prosper202: ")
    assert "[[subid]]" in warning
    assert "warnings" not in api.get("camp/link", id=tracked, click="12")


def test_a_campaigns_own_templates_speak_for_it_and_not_the_accounts(api, tracked):
    api.post("profile/postbacks", pb_approve=PROSPER)
    assert api.get("camp/link", id=tracked, click="abc")["warnings"]
    api.post("camp/edit", id=tracked, pb_approve=f"{KEYED}sale")
    assert "warnings" not in api.get("camp/link", id=tracked, click="abc")
    api.post("camp/edit", id=tracked, pb_approve="")
    assert api.get("camp/link", id=tracked, click="abc")["warnings"]


def test_another_campaigns_or_a_deleted_tracker_says_nothing(api, world, tracked):
    settings = {"preset": "prosper202", "fields": {"domain": "p.example"}}
    add = {"tracker": "url_template", "settings": settings}
    api.post("dest/add", **add, campaign=world.campaign())
    gone = api.post("dest/add", **add, campaign=tracked)["data"]["id"]
    api.post("dest/del", id=gone)
    assert "warnings" not in api.get("camp/link", id=tracked, click="abc")


def test_an_ad_platforms_click_id_that_no_link_carries_is_warned_of(api, tracked):
    settings = {"pixel_code": "COQDA8RC77U2TMR44LI0", "access_token": "tt-secret-token"}
    api.post("dest/add", tracker="tiktok_events", settings=settings)
    (warning,) = api.get("camp/link", id=tracked)["warnings"]
    assert "ttclid" in warning
    assert "warnings" not in api.get("camp/link", id=tracked, click="short")
