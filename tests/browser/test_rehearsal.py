"""`make run SANDBOX=1`: a newcomer comes to a delivered postback through the browser alone."""

import os
import re
import signal
import subprocess
import sys

import pytest

from app.config import Settings
from app.local.run import HOME
from tests.support.waiting import eventually, free_port


@pytest.fixture
def printed():
    """What the terminal shows: where the dashboard opens, and where Telegram is played."""
    ours = {name.upper() for name in Settings.__slots__}
    environ = {name: text for name, text in os.environ.items() if name not in ours}
    environ |= {"PORT": str(free_port()), "WEB_CONCURRENCY": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "app.sandbox.rehearsal"], env=environ, cwd=HOME, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        text = ""
        while not re.search("opens once.*\n", text):
            line = process.stdout.readline()
            assert line, text
            text += line
        yield [re.search(rf"{word}\D* (http://\S+)", text)[1] for word in ("played", "once")]
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def test_a_newcomer_comes_to_a_delivered_postback_through_the_browser_alone(printed, page):
    telegram, entry = printed
    page.goto(telegram)
    token, address = page.locator("code").all_inner_texts()
    page.goto(entry)
    page.click("#do-step")
    page.fill("#token", token)
    page.click("#add-title + form button")
    page.get_by_role("link", name="To the overview").click()
    with page.expect_popup() as opened:
        page.click("#do-step")
    opened.value.get_by_role("button", name="administrator").click()
    opened.value.get_by_text("Go back to the dashboard").wait_for()
    page.locator("#first-steps a[href='/campaigns#chat']").click()
    page.click("#add form button")
    page.get_by_role("link", name="To the overview").click()
    page.click("#do-addresses")
    page.fill("#pb_wait", address)
    page.fill("#pb_approve", address)
    page.click("button[value=save]")
    page.get_by_role("link", name="To the overview").click()
    with page.expect_popup() as opened:
        page.click("#do-step")
    opened.value.get_by_role("button", name="START").click()
    page.locator("#first-steps a[href^='/deliveries/']").click()
    page.locator(".pill.good", has_text="delivered").first.wait_for()
    opened.value.get_by_role("button", name="Join", exact=True).click()

    def is_listed():
        page.goto(entry.partition("/enter/")[0] + "/deliveries?event=approve")
        return page.locator("#rows").count()

    eventually(is_listed, 30, "the postback of who joined")
