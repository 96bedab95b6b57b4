import re
import time

import pytest

from app.crypto import hash_secret
from app.errors import BadKey
from app.extensions import db
from app.models import Login
from app.services import profile
from app.services.accounts import accounts
from app.services.service_bot import sessions
from tests.support.dashboard import text_of


@pytest.fixture
def screen(browser):
    browser.page("/settings")
    return browser


def test_language_and_zone_are_chosen(screen, account):
    page = screen.done("/settings/look", lang="ru", zone="Asia/Tokyo")
    assert '<html lang="ru">' in page
    stored = profile.read(account.id).account
    assert (stored.lang, stored.zone) == ("ru", "Asia/Tokyo")
    assert "Europe/Moscow" in screen.refused("/settings/look", lang="ru", zone="Mars/Olympus")


def test_notifications_are_switched(screen, account):
    screen.done("/settings/notifications", leads="1")
    stored = profile.read(account.id).account
    assert (stored.notify_leads, stored.notify_tariff) == (True, False)


def test_a_new_key_is_shown_once_and_the_old_one_is_dead(screen, account, make_browser):
    other = make_browser().log_in(account.key)
    page = screen.post("/settings/key", end_sessions="1").get_data(as_text=True)
    (key,) = re.findall(rf"(?<![\w-]){account.id}-[\w-]{{32}}(?![\w-])", page)
    assert accounts.authenticate(key).id == account.id
    with pytest.raises(BadKey):
        accounts.authenticate(account.key)
    assert key not in screen.page("/settings")
    assert other.get("/").status_code == 303


def test_sessions_are_listed_and_ended(screen, account, make_browser):
    other = make_browser().log_in(account.key)
    page = screen.page("/settings")
    assert "this one" in text_of(page)
    number = re.search(r'name="session" value="([0-9]+)"', page)
    assert number
    screen.done("/settings/sessions", session=number[1])
    assert other.get("/").status_code == 303
    third = make_browser().log_in(account.key)
    screen.page("/settings")
    screen.done("/settings/sessions", do="others")
    assert third.get("/").status_code == 303
    assert len(sessions.listed(account.id)) == 1


def test_whoever_ends_all_others_ends_the_logins_that_were_agreed_to(screen, account):
    agreed = Login(
        nonce_hash=hash_secret("nonce"), account_id=account.id, agreed=time.time(),
        expires=time.time() + 600,
    )  # fmt: skip
    db.session.add(agreed)
    db.session.commit()
    screen.page("/settings")
    screen.done("/settings/sessions", do="others")
    db.session.refresh(agreed)
    assert agreed.used is not None


def test_another_accounts_session_is_not_ended(screen, other, make_browser):
    theirs = make_browser().log_in(other.key)
    (row,) = sessions.listed(other.id)
    screen.done("/settings/sessions", session=row.id)
    assert theirs.get("/").status_code == 200


def test_a_plan_can_be_chosen_when_it_is_over(make_browser, make_account):
    lapsed = make_account(tariff="cat", paid_until=int(time.time()) - 60)
    browser = make_browser().log_in(lapsed.key)
    assert "Choose it" in browser.page("/settings")
    assert "Your plan has ended." not in browser.done("/settings/plan", tariff="kitten")
    assert profile.read(lapsed.id).plan.code == "kitten"


def test_a_plan_that_lasts_cannot_be_changed_and_a_paid_one_needs_a_gateway(
    screen, make_account, make_browser
):
    assert "more than 3 days" in screen.refused("/settings/plan", tariff="cat")
    free = make_browser().log_in(make_account().key)
    free.page("/settings")
    assert "payments are not possible" in free.refused("/settings/plan", tariff="cat")
    free.refused("/settings/plan", tariff="nothing")


def test_the_language_is_changed_on_any_page_which_is_shown_again(browser):
    page = browser.page("/leads?status=2")
    assert 'name="next" value="/leads?status=2"' in page
    response = browser.post("/settings/language", lang="ru", next="/leads?status=2")
    assert response.headers["Location"] == "/leads?status=2"
    assert 'lang="ru"' in browser.page("/leads")
    assert (
        browser.post("/settings/language", lang="en", next="//evil.example")
        .headers["Location"]
        .startswith("/")
    )
    assert browser.post("/settings/language", lang="xx").status_code == 422
