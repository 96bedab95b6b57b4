import pytest

from app.dashboard.access import forms
from app.dashboard.access.forms import Form
from app.services.bots import bots
from tests.support.dashboard import OWN


def test_of_a_name_that_occurs_twice_the_first_value_counts_and_all_are_there():
    form = Form([("event", "wait"), ("event", "hold"), ("a", "1")])
    assert dict(form) == {"event": "wait", "a": "1"}
    assert form.all("event") == ["wait", "hold"]


@pytest.fixture
def bot(world):
    return world.bot()


def forged(browser, bot, headers, token=None):
    values = {"csrf": browser.token if token is None else token}
    return browser.send(f"/bots/{bot}/check", values, headers).status_code


def test_a_form_of_ours_is_taken(browser, bot):
    assert forged(browser, bot, OWN) == 303
    assert forged(browser, bot, {"Origin": "http://localhost"}) == 303


def test_a_form_without_its_token_is_refused(browser, bot):
    assert forged(browser, bot, OWN, "") == 403
    assert forged(browser, bot, OWN, "é") == 403


def test_a_form_of_another_site_is_refused_even_with_the_token(browser, bot):
    for site in ("cross-site", "same-site", "none"):
        assert forged(browser, bot, {"Sec-Fetch-Site": site}) == 403
    for origin in ("http://evil.example", "null", "https://localhost:1"):
        assert forged(browser, bot, {"Origin": origin}) == 403
    assert forged(browser, bot, {}) == 403


def test_a_form_with_the_token_of_another_session_is_refused(
    browser, bot, make_browser, account, other
):
    same = make_browser().log_in(account.key)
    theirs = make_browser().log_in(other.key)
    for stranger in (same, theirs):
        stranger.page("/bots")
        assert stranger.token not in ("", browser.token)
        assert forged(browser, bot, OWN, stranger.token) == 403


def test_a_token_of_before_the_login_is_refused(make_browser, account, world):
    browser = make_browser()
    browser.page("/login")
    before = browser.token
    browser.log_in(account.key)
    assert forged(browser, world.bot(), OWN, before) == 403


def test_a_script_of_ours_brings_the_token_in_a_header(browser, bot):
    headers = {**OWN, "X-CSRF-Token": browser.token}
    assert browser.send(f"/bots/{bot}/check", {"x": "1"}, headers).status_code == 303


def test_nothing_changes_by_a_refused_form(browser, bot, account):
    username = bots.find(account.id, bot).username
    browser.send(f"/bots/{bot}/delete", {"name": username}, OWN)
    assert bots.find(account.id, bot).living


def test_what_is_no_form_is_refused(app, browser):
    response = browser._client.post("/bots", json={"csrf": browser.token}, headers=OWN)
    assert response.status_code == 422
    large = browser.post("/bots", token="x" * 300_000)
    assert large.status_code == 413


def test_of_a_query_only_what_is_known_and_not_empty_is_taken():
    assert forms.non_empty({"a": "1", "b": "", "c": "2"}, ["a", "b", "d"]) == {"a": "1"}
