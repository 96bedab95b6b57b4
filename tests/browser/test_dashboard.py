"""The dashboard in a real browser: every screen, both languages, schemes, a phone, no script."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe

from app.sandbox.telegram import people
from app.sandbox.telegram.people import Person
from tests.browser.conftest import CHAT, SERVICE_TOKEN, TOKEN
from tests.journeys.system import eventually
from tests.support.mini_app import init_data

SCREENS = (
    "/ /campaigns /sources /sources/sites /sources/attribution /leads /requests"
    " /requests/blocked /deliveries /trackers /trackers/new /statistics /journal /bots /settings"
    " /settings/transfer"
)
ALLOWED = re.compile(r"allow:[0-9]+")
TABS = (
    *("", "/welcome", "/postbacks", "/link?click=abc", "/desk", "/rules", "/rules/new"),
    *("/rules/try", "/settings"),
)


def log_in(page, system):
    page.goto(f"{system.url}/login")
    page.fill("#key", system.key)
    page.click("form[action='/login'] button")
    page.wait_for_selector("#menu", state="attached")


def screens(system):
    return [*SCREENS.split(), *(f"/campaigns/{system.campaign}{tab}" for tab in TABS)]


def asked(system):
    """The callback data of the Yes under the bot's last question."""
    calls = system.bot_api.calls(SERVICE_TOKEN, "sendMessage")
    markups = [one.params["reply_markup"] for one in calls if "reply_markup" in one.params]
    found = [ALLOWED.search(str(markup)) for markup in markups]
    return found[-1][0] if found and found[-1] else ""


@pytest.mark.parametrize("script", [True, False])
def test_the_service_bot_logs_in_whoever_agrees(system, new_context, faults, script):
    page = new_context(java_script_enabled=script).new_page()
    faults.watch(page)
    page.goto(f"{system.url}/login?next=/bots")
    page.click("form[action='/login/telegram'] button")
    link = page.get_by_role("link", name="Open Telegram").get_attribute("href")
    person = Person(8_300_000_001 + script, "Olga", username=f"olga{script:d}")
    before = asked(system)
    start = people.start(person, link.partition("?start=")[2])
    system.bot_api.push(SERVICE_TOKEN, start)
    eventually(lambda: asked(system) != before, 30, "the question")
    press = {"id": "7", "from": person.user(), "data": asked(system), "chat_instance": "1"}
    system.bot_api.push(SERVICE_TOKEN, {"callback_query": press})
    if script:
        page.wait_for_url(f"{system.url}/bots")
    else:

        def is_in():
            page.get_by_role("link", name="I have pressed Yes").click()
            return page.url == f"{system.url}/bots"

        eventually(is_in, 30, "the dashboard")
    assert page.locator(".who").inner_text() == "Olga"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_screen_is_accessible_and_complains_of_nothing(system, new_context, faults, scheme):
    page = new_context(color_scheme=scheme, bypass_csp=True).new_page()
    faults.watch(page)
    log_in(page, system)
    found = []
    for path in screens(system):
        page.goto(system.url + path)
        faults_of_page = Axe().run(page).response["violations"]
        found += [(path, one["id"], one["nodes"][0]["html"][:200]) for one in faults_of_page]
    assert found == []


def test_the_pages_before_the_login_are_accessible(system, new_context, faults):
    page = new_context(bypass_csp=True).new_page()
    faults.watch(page)
    page.goto(f"{system.url}/login")
    found = [Axe().run(page).response["violations"]]
    page.click("form[action='/login/telegram'] button")
    page.locator("#wait").wait_for()
    found.append(Axe().run(page).response["violations"])
    assert found == [[], []]


@pytest.mark.parametrize("locale", ["en", "ru"])
def test_every_screen_fits_a_phone_and_keeps_to_the_policy(system, new_context, faults, locale):
    context = new_context(viewport={"width": 360, "height": 740}, locale=locale)
    page = context.new_page()
    faults.watch(page)
    log_in(page, system)
    for path in screens(system):
        page.goto(system.url + path)
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(wide) == 0, path


def test_without_javascript_every_screen_stands_and_forms_work(system, new_context, faults):
    page = new_context(java_script_enabled=False).new_page()
    faults.watch(page)
    log_in(page, system)
    for path in screens(system):
        page.goto(system.url + path)
        assert page.locator("h1").count() == 1, path
    page.goto(f"{system.url}/campaigns/{system.campaign}/welcome")
    page.fill("#welcome", "Hello *you*")
    page.click("button[value=preview]")
    assert page.locator(".message b").inner_text() == "you"
    page.click("button[value=save]")
    assert page.locator("[role=status]").count() == 1
    assert system.get("camp/get", id=system.campaign)["welcome"] == "Hello *you*"


def test_with_javascript_the_preview_follows_the_keys(system, page):
    log_in(page, system)
    page.goto(f"{system.url}/campaigns/{system.campaign}/welcome")
    page.fill("#welcome", "See _this_")
    page.locator("#preview i", has_text="this").wait_for()
    page.get_by_role("button", name="{click}").click()
    assert page.input_value("#welcome").endswith("{click}")


def test_a_phones_menu_opens_and_closes_by_keyboard(system, new_context, faults):
    page = new_context(viewport={"width": 360, "height": 740}).new_page()
    faults.watch(page)
    log_in(page, system)
    page.locator(".menu-open").focus()
    page.keyboard.press("Enter")
    page.locator("#menu").wait_for(state="visible")
    page.keyboard.press("Escape")
    page.locator("#menu").wait_for(state="hidden")


def test_requests_are_marked_and_decided_by_keyboard(system, page):
    for number, name in ((31, "Kim"), (32, "Lou"), (33, "Max")):
        system.bot_api.push(TOKEN, people.join_request(Person(number, name), CHAT))
    waiting = {"state": "waiting", "campaign": system.campaign}
    eventually(lambda: len(system.get("requests/list", **waiting)) == 3, 30, "the requests")
    log_in(page, system)
    page.goto(f"{system.url}/requests")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("x")
    assert page.locator("tr[data-row]:has(input:checked)").inner_text().strip().startswith("Lou")
    page.keyboard.press("a")
    page.locator("[role=status], .notice.good").first.wait_for()

    def states():
        return {row["first_name"]: row["state"] for row in system.get("requests/list")}

    eventually(lambda: states()["Lou"] == "joined", 30, "the decision")
    assert (states()["Kim"], states()["Max"]) == ("waiting", "waiting")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("d")
    eventually(lambda: states()["Max"] == "declined", 30, "the second decision")


def test_a_mini_app_of_the_service_bot_logs_in_whoever_agrees(system, new_context, faults):
    page = new_context(bypass_csp=True).new_page()
    faults.watch(page)
    person = Person(8_300_000_011, "Mia", username="mia_app")
    opened_with = quote(init_data(person, token=SERVICE_TOKEN))
    page.goto(f"{system.url}/login#tgWebAppData={opened_with}&tgWebAppPlatform=android")
    page.get_by_role("heading", name="Open the dashboard of Mia (@mia_app)?").wait_for()
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("button", name="Open it").click()
    page.wait_for_url(f"{system.url}/")
    assert page.locator(".who").inner_text() == "Mia"
