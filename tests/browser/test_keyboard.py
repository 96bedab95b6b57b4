"""Campaigns, trackers, deliveries and settings by keyboard alone, the focus always in sight."""

import pytest

from app.sandbox.serving import running
from app.sandbox.telegram import people
from app.sandbox.telegram.people import Person
from app.sandbox.vendors.tracker import TrackerDouble
from tests.browser.conftest import TOKEN
from tests.support.waiting import eventually

#: No page has more places to stop at.
MOST_STOPS = 200
#: What has the focus: its markup, whether it is what is looked for, and whether one sees it.
FOCUSED = """(wanted) => {
  const element = document.activeElement;
  if (element === document.body) return { isSeen: true };
  const style = getComputedStyle(element), box = element.getBoundingClientRect();
  const isOnPage = box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight;
  const isOutlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  return { html: element.outerHTML.slice(0, 200), isThere: element.matches(wanted),
           isSeen: isOnPage && isOutlined };
}"""


class Keyboard:
    """Somebody who has no mouse."""

    def __init__(self, page):
        self.page = page

    def go_to(self, selector):
        """Press Tab until what `selector` names has the focus."""
        for _ in range(MOST_STOPS):
            self.page.keyboard.press("Tab")
            focused = self.page.evaluate(FOCUSED, selector)
            assert focused["isSeen"], focused["html"]
            if focused.get("isThere"):
                return
        raise AssertionError(f"no Tab leads to {selector}")

    def press(self, selector):
        """Go to a link or a button and press Enter, which opens another page."""
        self.go_to(selector)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def write(self, selector, text):
        """Go to a field and write `text` in place of what it has."""
        self.go_to(selector)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)


@pytest.fixture
def keyboard(system, page):
    """One that has logged in."""
    keyboard = Keyboard(page)
    page.goto(f"{system.url}/login")
    keyboard.write("#key", system.key)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    return keyboard


def test_a_campaign_is_opened_and_its_rules_are_changed(system, keyboard):
    keyboard.press("#menu a[href='/campaigns']")
    keyboard.press(f"main th a[href='/campaigns/{system.campaign}']")
    keyboard.press(f"a[href='/campaigns/{system.campaign}/settings']")
    keyboard.write("#unsub_window", "9")
    keyboard.press("main form button")
    assert keyboard.page.locator("main [role=status]").count() == 1
    assert system.get("camp/get", id=system.campaign)["unsub_window"] == 9 * 86_400


def test_a_tracker_is_connected_and_told_again(system, keyboard):
    page, tracker = keyboard.page, TrackerDouble()
    with running(tracker) as tracker_url:
        keyboard.press("#menu a[href='/trackers']")
        keyboard.press("main a[href='/trackers/new']")
        keyboard.press("main a[href='/trackers/new/url_template']")
        address = f"{tracker_url}/ok/postback?click={{click}}"
        keyboard.write("[name='settings.urls.wait']", address)
        keyboard.write("#title", "By keyboard")
        keyboard.press("button[value=add]")
        page.locator("h1", has_text="By keyboard").wait_for()
        (dest,) = [row for row in system.get("dest/list") if row["title"] == "By keyboard"]
        person = Person(8_600_000_001, "Nora")
        system.bot_api.push(TOKEN, people.start(person, f"{system.code}-keys"))

        def is_delivered():
            return system.get("postbacks/list", dest=dest["id"], state="delivered")

        eventually(is_delivered, 30, "the postback")
        keyboard.press("#menu a[href='/deliveries']")
        keyboard.go_to("#dest")
        page.keyboard.press("B")  # one key: letters that come slowly are not taken for a word
        chosen = page.locator("#dest option:checked").inner_text()
        assert chosen.startswith("By keyboard"), chosen
        keyboard.press("form.filters button")
        assert page.locator("#rows tbody tr").count() == 1
        keyboard.press("#rows a")
        keyboard.press("main form[action$='/resend'] button")
        eventually(lambda: len(tracker.log()) >= 2, 30, "the second postback")
    system.post("dest/del", id=dest["id"])


def test_the_language_is_changed_in_the_settings(system, keyboard):
    page = keyboard.page
    try:
        keyboard.press("#menu a[href='/settings']")
        keyboard.go_to("#lang")
        page.keyboard.press("ArrowDown")
        keyboard.press("form[action='/settings/look'] button")
        assert page.locator("html").get_attribute("lang") == "ru"
        assert page.locator("main [role=status]").count() == 1
    finally:
        system.post("profile/lang", lang="en")
