"""clicks/*: what came through the links of an account's own sources."""

import pytest

NOON = 1_780_000_000


@pytest.fixture
def source(world):
    return world.source(world.campaign())


def ids(answer):
    return [row["id"] for row in answer["data"]]


def test_clicks_are_listed_newest_first_and_by_what_they_are(api, world, source):
    bare = world.click(source, token=f"{1:016}", created=NOON + 1)
    joined = world.click(source, created=NOON + 2, lead_id=7, external="c-1")
    assert ids(api.get("clicks/list")) == [joined, bare]
    assert api.get("clicks/list", limit=1)["total"] == 2
    assert ids(api.get("clicks/list", joined=1)) == [joined]
    assert ids(api.get("clicks/list", joined=0)) == [bare]
    assert ids(api.get("clicks/list", external="c-1")) == [joined]
    assert ids(api.get("clicks/list", token=f"{1:016}")) == [bare]
    assert ids(api.get("clicks/list", source=source, before=joined)) == [bare]
    assert ids(api.get("clicks/list", **{"from": NOON + 2})) == [joined]
    assert ids(api.get("clicks/list", to=NOON + 1)) == [bare]


def test_one_click_shows_all_that_was_kept_of_it(api, world, source):
    number = world.click(
        source, token=f"{3:016}", created=NOON + 3, external="c-1", referrer="e.com/a",
        ids='{"fbclid": "I"}', utm='{"source": "fb"}', subs='{"sub1": "a"}', ad="{}",
        flags=32, lead_id=9,
    )  # fmt: skip
    click = api.get("clicks/get", id=number)["data"]
    assert click.pop("campaign")
    assert click == {
        "id": number, "source": source, "token": f"{3:016}", "external": "c-1", "lead": 9,
        "created": "2026-05-28 20:26:43", "referrer": "e.com/a", "ids": {"fbclid": "I"},
        "utm": {"source": "fb"}, "subs": {"sub1": "a"}, "ad": {}, "cut": False, "unreplaced": True,
        "no_consent": False, "invalid_id": False, "site": 0, "pressed": "0000-00-00 00:00:00",
        "landing": "", "country": "", "city": "", "ip": False, "user_agent": False,
    }  # fmt: skip


def test_another_accounts_clicks_are_not_found(api, others_world, source):
    theirs = others_world.source(others_world.campaign())
    click = others_world.click(theirs, token=f"{4:016}")
    assert api.get("clicks/list", source=theirs)["error"] == "notfound"
    assert api.get("clicks/get", id=click)["error"] == "notfound"
    assert api.get("clicks/list")["data"] == []
    assert api.get("clicks/list", token=f"{4:016}")["data"] == []
