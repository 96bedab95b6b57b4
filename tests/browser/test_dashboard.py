"""The dashboard in a real browser: every screen, both languages, schemes, a phone, no script."""

import re
from urllib.parse import quote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

from app import create_app
from app.config import Settings
from app.sandbox.telegram import people
from app.sandbox.telegram.people import Chat, Person
from tests.browser.conftest import CHAT, SERVICE_TOKEN, TOKEN, follow
from tests.support.mini_app import init_data
from tests.support.waiting import eventually

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
    " /trackers/new/altcraft /statistics /statistics/ads"
    " /statistics/ads?by=utm_source&compare=before /journal /bots /bots/{bot}/delete"
    " /exports /settings /settings/transfer /leads/999999"
)
LARGEST_PAGE = 60_000  # bytes
PHONE_SIZE = {"width": 360, "height": 740}
#: What a browser does not show as a page of a person who is logged in, and the form of a rule,
#: which is that of a new one.
NO_SCREENS = re.compile(
    r".*\.csv|/exports/<id:number>/file|.*/rules/<id:rule>|/enter/.*|/login.*|/static/.*"
)
ALLOWED = re.compile(r"allow:[0-9]+")
#: Of what axe looks at only this changes with the colour scheme; axe is in the page already.
LOOK_AT_COLOURS = """axe.run({
    runOnly: ["color-contrast", "link-in-text-block"], resultTypes: ["violations"],
})"""

#: Names without a place to break them, to be read from right to left, and of emoji.
LONG_TOKEN = "7000000019:AAF-token-of-the-bot-with-the-long-name"
LONG_BOT = Person(7_000_000_019, "B" * 64, username="b" * 28 + "_bot", is_bot=True)
LONG_CHATS = (
    Chat(-1_001_900_000_101, "W" * 255),
    Chat(-1_001_900_000_102, "\u05e9\u05dc\u05d5\u05dd" * 60),
    Chat(-1_001_900_000_103, "\N{FIRE}" * 120),
)
LONG_PERSON = Person(8_500_000_001, "\u0645" * 64, "L" * 64, "u" * 32, "zh-hans-cn", premium=True)


def log_in(page, system):
    page.goto(f"{system.url}/login")
    page.fill("#key", system.key)
    follow(page, "form[action='/login'] button")
    page.wait_for_selector("#menu", state="attached")


@pytest.fixture(scope="module")
def filled(system):
    """Ids of one thing of each kind, so that no screen is empty. Names are as long as can be."""
    system.bot_api.add_bot(LONG_TOKEN, LONG_BOT.username, LONG_BOT.first_name)
    bot = system.post("bots/add", token=LONG_TOKEN)["id"]
    for chat in LONG_CHATS:
        system.bot_api.push(LONG_TOKEN, people.bot_rights(chat, True, bot=LONG_BOT))
    eventually(lambda: len(system.get("bots/chats", id=bot)) == len(LONG_CHATS), 30, "the chats")
    made = [system.post("camp/add", bot=bot, chat=chat.id) for chat in LONG_CHATS[:2]]
    campaign, code = made[0]["id"], made[0]["code"]
    urls = {"wait": f"http://127.0.0.1:9/{'w' * 500}?click={{click}}"}
    kept = {"tracker": "url_template", "settings": {"urls": urls}}
    tracker = system.post("dest/add", title="T" * 128, campaign=campaign, **kept)
    host = {"domain": f"{'h' * 60}.{'o' * 60}.{'s' * 60}.{'t' * 60}.example", "key": "1-k"}
    crm = system.post(
        "dest/add", tracker="altercpa_lite", title="\N{PARTY POPPER}" * 64, settings=host
    )
    source = system.post("sources/add", campaign=campaign, title="S" * 64)
    system.bot_api.push(LONG_TOKEN, people.start(LONG_PERSON, f"{code}-{'c' * 57}"))
    for chat in LONG_CHATS[:2]:
        system.bot_api.push(LONG_TOKEN, people.join_request(LONG_PERSON, chat))
    of_tracker = {"dest": tracker["id"]}
    eventually(lambda: system.get("postbacks/list", **of_tracker), 30, "the postback")
    asked = {"campaign": campaign}
    eventually(lambda: system.get("requests/list", **asked), 30, "the request")
    yield {
        "campaign": campaign,
        "source": source["id"],
        "lead": system.get("leads/list", **asked)[0]["id"],
        "request": system.get("requests/list", **asked)[0]["id"],
        "postback": system.get("postbacks/list", **of_tracker)[0]["id"],
        "tracker": tracker["id"],
        "bot": bot,
    }
    for one in (tracker, crm):
        system.post("dest/del", id=one["id"])


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
            page.wait_for_timeout(1000)  # as people do: who asks without a pause is refused
            with page.expect_navigation():
                page.get_by_role("link", name="I have pressed Yes").click()
            return page.url == f"{system.url}/bots"

        eventually(is_in, 30, "the dashboard")
    assert page.locator(".who").inner_text() == "Olga"


@pytest.mark.timeout(300)  # a busy machine takes minutes to look at so much
@pytest.mark.parametrize("part", ["en 0", "en 1", "ru 0", "ru 1"])
def test_every_screen_is_accessible_in_both_schemes(system, filled, speak, watched, part):
    language, half = part.split()
    speak(language)
    # without motion no colour is looked at half way from one scheme to the other
    page = watched(bypass_csp=True, reduced_motion="reduce")
    log_in(page, system)
    found = []
    for path in screens(filled)[int(half) :: 2]:
        page.emulate_media(color_scheme="light")
        page.goto(system.url + path)
        assert page.locator("html").get_attribute("lang") == language, path
        faults = Axe().run(page).response["violations"]
        page.emulate_media(color_scheme="dark")
        faults += page.evaluate(LOOK_AT_COLOURS)["violations"]
        found += [(path, one["id"], one["nodes"][0]["html"][:200]) for one in faults]
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
def test_no_screen_scrolls_sideways_whatever_the_names_and_none_is_heavy(
    system, filled, speak, watched, language
):
    speak(language)
    page = watched(viewport=PHONE_SIZE, locale=language)
    log_in(page, system)
    wide, too_wide, heavy = "document.documentElement.scrollWidth", {}, {}
    for path in screens(filled):
        answer = page.goto(system.url + path)
        for size in (PHONE_SIZE, {"width": 1280, "height": 900}):
            page.set_viewport_size(size)
            if page.evaluate(wide) > size["width"]:
                too_wide[path, size["width"]] = page.evaluate(wide)
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
    follow(page, "button[value=preview]")
    assert page.locator(".message b").inner_text() == "you"
    follow(page, "button[value=save]")
    assert page.locator("[role=status]").count() == 1
    assert system.get("camp/get", id=system.campaign)["welcome"] == "Hello *you*"


def test_with_javascript_the_preview_follows_the_keys(system, page):
    log_in(page, system)
    page.goto(f"{system.url}/campaigns/{system.campaign}/welcome")
    page.fill("#welcome", "See _this_")
    page.locator("#preview i", has_text="this").wait_for()
    page.get_by_role("button", name="{click}").click()
    assert page.input_value("#welcome").endswith("{click}")


#: Presses the button that a list of 10,000 rows has.
PREPARE = """() => {
    const form = document.createElement("form");
    Object.assign(form, {method: "post", action: "/exports"});
    const csrf = document.querySelector("[name=csrf]").value;
    for (const [name, value] of Object.entries({csrf, kind: "leads"})) {
        form.append(Object.assign(document.createElement("input"), {type: "hidden", name, value}));
    }
    document.body.append(form);
    form.submit();
}"""


def test_a_file_is_prepared_while_its_page_is_closed_and_found_again(system, filled, watched):
    page = watched(bypass_csp=True, viewport={"width": 360, "height": 740})
    log_in(page, system)
    with page.expect_navigation(url=f"{system.url}/exports"):
        page.evaluate(PREPARE)
    page.goto(f"{system.url}/leads")
    page.goto(f"{system.url}/exports")
    link = page.get_by_role("link", name="Download")
    link.wait_for()  # the page looks by itself
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    with page.expect_download() as download:
        link.click()
    assert download.value.suggested_filename.startswith("leads-")
    assert f",{LONG_PERSON.username}," in download.value.path().read_text("utf-8")
    page.get_by_role("button", name="Delete").click()
    page.get_by_text("No file here").wait_for()


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
    def names():
        waiting = system.get("requests/list", state="waiting", campaign=system.campaign)
        return {row["first_name"] for row in waiting}

    # Updates of different people may be decided in any order; the keys count on this one.
    for number, name in ((31, "Kim"), (32, "Lou"), (33, "Max")):
        system.bot_api.push(TOKEN, people.join_request(Person(number, name), CHAT))
        eventually(lambda name=name: name in names(), 30, f"the request of {name}")
    log_in(page, system)
    page.goto(f"{system.url}/requests")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("x")
    assert page.locator("tr[data-row]:has(input:checked)").inner_text().strip().startswith("Lou")
    with page.expect_navigation():
        page.keyboard.press("a")
    page.locator("[role=status], .notice.good").first.wait_for()

    def states():
        return {row["first_name"]: row["state"] for row in system.get("requests/list")}

    eventually(lambda: states()["Lou"] == "joined", 30, "the decision")
    assert (states()["Kim"], states()["Max"]) == ("waiting", "waiting")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("d")
    eventually(lambda: states()["Max"] == "declined", 30, "the second decision")


def test_the_focus_stays_in_its_row_when_the_list_of_requests_changes(system, page):
    def waiting():
        return {row["first_name"] for row in system.get("requests/list", state="waiting")}

    def row_of(name):
        link = page.get_by_role("link", name=name, exact=True)
        return page.locator("tr[data-row]", has=link)

    for number, name in ((41, "Ida"), (42, "Jim")):
        system.bot_api.push(TOKEN, people.join_request(Person(number, name), CHAT))
    eventually(lambda: waiting() >= {"Ida", "Jim"}, 30, "the requests")
    log_in(page, system)
    page.clock.install()
    page.goto(f"{system.url}/requests")

    def fresh(name):
        def is_shown():
            page.clock.run_for(5000)
            return row_of(name).count() == 1

        eventually(is_shown, 30, f"the row of {name}")

    fresh("Jim")
    fresh("Ida")
    row_of("Ida").get_by_role("button", name="Decline").focus()
    page.locator("summary").first.evaluate("(summary) => summary.parentElement.open = true")
    system.bot_api.push(TOKEN, people.join_request(Person(43, "Kay"), CHAT))
    fresh("Kay")
    focused = page.locator("*:focus")
    assert focused.inner_text() == "Decline"
    assert focused.locator("xpath=ancestor::tr").locator("th a").inner_text() == "Ida"
    assert page.locator("details[open]").count() == 1
    (waits,) = [one for one in system.get("requests/list") if one["first_name"] == "Ida"]
    system.post("requests/decide", ids=[waits["id"]], decision="decline")

    def is_gone():
        page.clock.run_for(5000)
        return row_of("Ida").count() == 0

    eventually(is_gone, 30, "the row to go")
    assert page.locator("*:focus").inner_text() == "Decline"


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
