import contextlib
import time

import pytest

from app.dashboard.access.guards import own_path
from app.errors import TooManyRequests
from app.services.accounts import accounts


@pytest.mark.parametrize("path", ["/", "/bots?x=1&y=%20", "/leads/5#top"])
def test_paths_of_ours_are_kept(path):
    assert own_path(path) == path


@pytest.mark.parametrize("path", ["", "//x", "/\\x", "/a\\b", "x", "/a\n", "/\t/x", "/é", "http:x"])
def test_what_is_no_path_of_ours_becomes_the_overview(path):
    assert own_path(path) == "/"


def test_without_a_session_a_page_leads_to_the_login_and_a_fetch_is_told(make_browser):
    browser = make_browser()
    assert browser.get("/campaigns").headers["Location"] == "/login?next=%2Fcampaigns"
    assert browser.get("/campaigns", X_Requested_With="gatepost").status_code == 401
    browser.set_cookie("sess_unknown")
    assert browser.get("/campaigns").status_code == 303


def test_an_api_key_is_no_session_of_the_dashboard(make_browser, account):
    browser = make_browser()
    assert browser.get("/", Authorization=f"Bearer {account.key}").status_code == 303
    browser.set_cookie(account.key)
    assert browser.get("/").status_code == 303


def test_a_plan_that_is_over_shows_everything_and_changes_nothing(
    make_browser, make_account, world_of
):
    lapsed = make_account(tariff="cat", paid_until=int(time.time()) - 60)
    bot = world_of(lapsed.id).bot()
    browser = make_browser().log_in(lapsed.key)
    for path in ("/", "/bots", "/campaigns"):
        assert "Your plan has ended." in browser.page(path)
    response = browser.post(f"/bots/{bot}/check")
    assert response.status_code == 402
    assert "renew" in response.get_data(as_text=True)
    assert browser.post("/logout").status_code == 303


def test_a_banned_account_is_let_out(browser, account):
    accounts.ban(account.login, banned=True)
    assert browser.get("/").status_code == 403


def test_the_limits_of_the_api_hold_here_too(browser, world, monkeypatch):
    from app.services.accounts import rate_limits

    bot = world.bot()
    while True:
        response = browser.post(f"/bots/{bot}/check")
        if response.status_code != 303:
            break
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) >= 1
    assert rate_limits.OUTBOUND.burst == 60


def test_deciding_and_trying_are_limited_on_the_screens_as_in_the_api(
    browser, world, account, monkeypatch
):
    from app.services.accounts import rate_limits

    monkeypatch.setattr(rate_limits.DECISIONS, "clock", lambda: 1_790_000_000.0)
    campaign = world.campaign()
    browser.page("/requests")
    for _ in range(rate_limits.DECISIONS.burst):
        with contextlib.suppress(TooManyRequests):
            rate_limits.DECISIONS.hit(str(account.id))
    assert browser.post("/requests", do="hold", ids="1").status_code == 429
    assert browser.post("/requests/all", decision="hold").status_code == 429
    assert browser.post("/requests/undo", batch="x").status_code == 429
    browser.page("/requests/all?decision=hold", 429)
    browser.page(f"/campaigns/{campaign}/rules/try", 429)
