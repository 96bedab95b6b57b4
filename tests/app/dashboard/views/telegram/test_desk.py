"""The tab of a campaign's desk: what is set, what is refused, and whose it is."""

import io

import pytest

from app.services.campaigns import media
from tests.support.dashboard import tags

SCRIPT = "</textarea><script>alert(1)</script>"
GOOD = {
    "desk": "all", "desk_cap": "40", "quiet_from": "22:30", "quiet_to": "07:00",
    "greet": "Hi *there*", "greet_button": "Go", "greet_on": "both",
}  # fmt: skip


@pytest.fixture
def path(world):
    return f"/campaigns/{world.campaign()}/desk"


def test_a_desk_is_set_and_shown(browser, api, path):
    browser.page(path)
    page = browser.done(path, **GOOD)
    for shown in ('value="22:30"', 'value="07:00"', "Hi *there*", 'value="40"'):
        assert shown in page
    campaign = api.get("camp/get", id=int(path.split("/")[2]))["data"]
    assert (campaign["desk"], campaign["desk_quiet_from"], campaign["greet_on"]) == (
        "all", 1350, "both",
    )  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [{"desk": "maybe"}, {"desk_cap": "many"}, {"quiet_from": "late"}, {"quiet_to": "99:99"}],
)
def test_what_cannot_be_is_refused_and_what_was_typed_stays(browser, path, wrong):
    browser.page(path)
    page = browser.refused(path, **GOOD | wrong)
    assert "Hi *there*" in page
    assert 'role="alert"' in page


def test_a_greeting_shows_an_own_media_and_then_has_less_room(browser, api, account, path):
    data = b"\x00\x00\x00\x18ftypisom" + bytes(64)
    code = media.upload(account.id, io.BytesIO(data))
    assert code in browser.page(path)
    page = browser.done(path, **GOOD | {"greet_media": code})
    assert f'value="{code}" selected' in page
    assert api.get("camp/get", id=int(path.split("/")[2]))["data"]["greet_media"] == code
    page = browser.refused(path, **GOOD | {"greet_media": code, "greet": "x" * 1025})
    assert "1024" in page
    assert "upload it first" in browser.refused(path, **GOOD | {"greet_media": "vid_not_there"})


def test_a_greeting_is_text(browser, path):
    browser.page(path)
    page = browser.done(path, **GOOD | {"greet": SCRIPT})
    assert tags(page).count("script") == 1


def test_the_neighbours_desk_is_not_there(browser, others_world):
    theirs = f"/campaigns/{others_world.campaign()}/desk"
    browser.page(theirs, 404)
    browser.page("/campaigns")
    assert browser.post(theirs, **GOOD).status_code == 404
