"""From an empty account to the first delivered postback, through the browser alone."""

from app.sandbox.serving import running
from app.sandbox.telegram import people
from app.sandbox.telegram.people import Chat, Person
from app.sandbox.vendors.tracker import TrackerDouble
from tests.browser.conftest import follow
from tests.support.waiting import eventually

VISITOR = Person(8_200_000_001, "Vera", username="vera")


class Keyboard:
    """Somebody who has no mouse: everything is reached by Tab."""

    def __init__(self, page):
        self.page = page

    def _reach(self, selector):
        is_there = "selector => document.activeElement.matches(selector)"
        for _ in range(200):
            if self.page.evaluate(is_there, selector):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"no Tab leads to {selector}")

    def press(self, selector):
        self._reach(selector)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def type(self, selector, text):
        self._reach(selector)
        self.page.keyboard.insert_text(text)

    def see(self, selector):
        """The page changes by itself."""
        self.page.locator(selector).first.wait_for()


class NoScript:
    """Somebody without JavaScript: pages are loaded again."""

    def __init__(self, page):
        self.page = page

    def press(self, selector):
        follow(self.page, selector)

    def type(self, selector, text):
        self.page.fill(selector, text)

    def see(self, selector):
        def is_there():
            self.page.reload()
            return self.page.locator(selector).count()

        eventually(is_there, 30, selector)


def walk(user, system, number):
    """The five steps of a new account, with the doubles as Telegram and as a tracker."""
    page, telegram = user.page, system.bot_api
    token, name = f"70000001{number:02d}:AAF-token-of-a-first-bot", f"first{number}_bot"
    bot = Person(int(token.partition(":")[0]), "First", username=name, is_bot=True)
    chat = Chat(-1_001_900_000_000 - number, f"First Steps {number}")
    telegram.add_bot(token, bot.username, bot.first_name)
    page.goto(system.new_account(f"first{number}"))
    user.press("#first-steps a[href='/bots#token']")
    user.type("#token", token)
    user.press("#add-title + form button")
    user.press(".brand")
    link = f"https://t.me/{name}?startchannel&admin=invite_users"
    assert page.locator("#do-step").get_attribute("href") == link
    telegram.push(token, people.bot_rights(chat, True, bot=bot))
    user.see("#first-steps a[href='/campaigns#chat']")
    user.press("#do-step")
    user.press("#add form button")
    user.press(".brand")
    tracker = TrackerDouble()
    with running(tracker) as tracker_url:
        user.press("#do-addresses")
        address = f"{tracker_url}/ok/postback?click={{click}}&status={{status}}"
        user.type("#pb_wait", address)
        user.press("button[value=save]")
        user.press(".brand")
        start = page.locator("#do-step").get_attribute("href")
        base, _, payload = start.partition("?start=")
        assert base == f"https://t.me/{name}"
        telegram.push(token, people.start(VISITOR, payload))
        user.see("#first-steps a[href^='/deliveries/']")
        eventually(tracker.log, 30, "the postback")
        user.see("#first-steps:not(:has([aria-current]))")
        user.press("#do-step")
    (hit,) = tracker.log()
    assert (hit.query["click"], hit.query["status"]) == ("test1", "wait")
    assert page.locator(".pill.good", has_text="delivered").count() >= 1


def test_from_an_empty_account_to_a_delivered_postback_by_the_keyboard(system, page):
    walk(Keyboard(page), system, 1)


def test_from_an_empty_account_to_a_delivered_postback_without_javascript(
    system, new_context, faults
):
    page = new_context(java_script_enabled=False, viewport={"width": 360, "height": 740}).new_page()
    faults.watch(page)
    walk(NoScript(page), system, 2)
