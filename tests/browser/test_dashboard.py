"""The dashboard in a real browser: every screen, both languages, schemes, a phone, no script."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

from app import create_app
from app.config import Settings
from app.sandbox.telegram import people
from app.sandbox.telegram.people import Person
from tests.browser.conftest import CHAT, SERVICE_TOKEN, TOKEN
from tests.journeys.system import eventually
from tests.support.mini_app import init_data

#: Every page of the dashboard; `{lead}` and the like are ids of `filled`.
SCREENS = (
    "/ /campaigns /campaigns/{campaign} /campaigns/{campaign}/welcome"
    " /campaigns/{campaign}/postbacks /campaigns/{campaign}/link?click=abc"
    " /campaigns/{campaign}/desk /campaigns/{campaign}/rules /campaigns/{campaign}/rules/new"
    " /campaigns/{campaign}/rules/try /campaigns/{campaign}/settings"
    " /sources /sources/{source} /sources/sites /sources/attribution"
    " /leads /leads?search=nobody /leads/{lead} /leads/{lead}/erase"
    " /requests /requests/blocked /requests?tab=decided /requests/{request}"
    " /requests/all?decision=approve"
    " /deliveries /deliveries/{postback} /deliveries/resend /deliveries/sent?count=3"
    " /trackers /trackers/{tracker} /trackers/{tracker}/delete /trackers/new"
    " /trackers/new/url_template /trackers/new/url_template?preset=keitaro"
    " /trackers/new/altcraft /statistics /journal /bots /bots/{bot}/delete"
    " /settings /settings/transfer /leads/999999"
)
LARGEST_PAGE = 60_000  # bytes
#: What a browser does not show as a page of a person who is logged in, and the form of a rule,
#: which is that of a new one.
NO_SCREENS = re.compile(r".*\.csv|.*/rules/<id:rule>|/enter/.*|/login.*|/static/.*")
ALLOWED = re.compile(r"allow:[0-9]+")


def log_in(page, system):
    page.goto(f"{system.url}/login")
    page.fill("#key", system.key)
    page.click("form[action='/login'] button")
    page.wait_for_selector("#menu", state="attached")


@pytest.fixture(scope="module")
def filled(system):
    """Ids of one thing of each kind, so that no screen is empty."""
    settings = {"urls": {"wait": "http://127.0.0.1:9/postback?click={click}"}}
    tracker = system.post("dest/add", tracker="url_template", title="Mine", settings=settings)
    source = system.post("sources/add", campaign=system.campaign, title="Spring")
    person = Person(8_500_000_001, "Ada " + "Lovelace" * 4, username="ada")
    system.bot_api.push(TOKEN, people.start(person, f"{system.code}-screens"))
    system.bot_api.push(TOKEN, people.join_request(person, CHAT))
    eventually(lambda: system.get("postbacks/list", dest=tracker["id"]), 30, "the postback")
    eventually(lambda: system.get("requests/list"), 30, "the request")
    request = system.get("requests/list")[0]["id"]
    yield {
        "campaign": system.campaign,
        "source": source["id"],
        "lead": system.get("leads/list", click="screens")[0]["id"],
        "request": request,
        "postback": system.get("postbacks/list", dest=tracker["id"])[0]["id"],
        "tracker": tracker["id"],
        "bot": system.bot,
    }
    system.post("dest/del", id=tracker["id"])


@pytest.fixture
def speak(system):
    """`speak("ru")`: the language of the account for the rest of this test."""
    yield lambda language: system.post("profile/lang", lang=language)
    system.post("profile/lang", lang="en")


@pytest.fixture
def watched(new_context, faults):
    """`watched(**options)`: a page whose complaints fail the test, but that of a page not found."""

    def make(**options):
        page = new_context(**options).new_page()
        faults.watch(page)
        return page

    faults.allowed = "status of 404"
    return make


def screens(filled):
    return [path.format(**filled) for path in SCREENS.split()]


def test_every_page_of_the_dashboard_is_among_the_screens(filled):
    environ = {
        "SECRET_KEY": "only for looking at the routes",
        "REDIS_URL": "redis://127.0.0.1:1",
        "DATABASE_URL": "sqlite:////tmp/never.db",
    }
    routes = create_app(Settings.from_environment(environ)).url_map
    visited = {routes.bind("").match(urlsplit(path).path)[0] for path in screens(filled)}
    pages = {
        rule.endpoint
        for rule in routes.iter_rules()
        if rule.endpoint.startswith("dashboard.")
        and "GET" in rule.methods
        and not NO_SCREENS.fullmatch(rule.rule)
    }
    assert pages - visited == set()


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


@pytest.mark.parametrize("look", ["light en", "dark ru"])
def test_every_screen_is_accessible_and_complains_of_nothing(system, filled, speak, watched, look):
    scheme, language = look.split()
    speak(language)
    page = watched(color_scheme=scheme, bypass_csp=True)
    log_in(page, system)
    found = []
    for path in screens(filled):
        page.goto(system.url + path)
        assert page.locator("html").get_attribute("lang") == language, path
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


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_screen_fits_a_phone_and_keeps_to_the_policy(
    system, filled, speak, watched, language
):
    speak(language)
    page = watched(viewport={"width": 360, "height": 740}, locale=language)
    log_in(page, system)
    wide, too_wide, heavy = "document.documentElement.scrollWidth", {}, {}
    for path in screens(filled):
        answer = page.goto(system.url + path)
        if page.evaluate(wide) > 360:
            too_wide[path] = page.evaluate(wide)
        if len(answer.body()) > LARGEST_PAGE:
            heavy[path] = len(answer.body())
    assert (too_wide, heavy) == ({}, {})


def test_without_javascript_every_screen_stands_and_forms_work(system, filled, watched):
    page = watched(java_script_enabled=False)
    log_in(page, system)
    for path in screens(filled):
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

    def names():
        waiting = system.get("requests/list", state="waiting", campaign=system.campaign)
        return {row["first_name"] for row in waiting}

    eventually(lambda: names() >= {"Kim", "Lou", "Max"}, 30, "the requests")
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
