"""A tracker from a generated form, and what it was told sent again, in a real browser."""

import pytest

from app.sandbox.serving import running
from app.sandbox.telegram import people
from app.sandbox.telegram.people import Person
from app.sandbox.vendors.tracker import TrackerDouble
from tests.browser.conftest import TOKEN, follow
from tests.browser.test_dashboard import log_in
from tests.support.waiting import eventually


@pytest.mark.parametrize(("script", "locale"), [(True, "en"), (False, "ru")])
def test_a_tracker_is_connected_by_its_form_and_told_again_what_was_chosen(
    system, new_context, faults, script, locale
):
    page = new_context(java_script_enabled=script, locale=locale).new_page()
    faults.watch(page)
    tracker, title = TrackerDouble(), f"Mine {locale}"
    with running(tracker) as tracker_url:
        log_in(page, system)
        page.goto(f"{system.url}/trackers/new/url_template")
        address = f"{tracker_url}/ok/postback?click={{click}}&status={{status}}"
        page.locator("[name='settings.urls.wait']").fill(address)
        page.fill("#title", title)
        page.click("button[value=add]")
        page.locator("h1", has_text=title).wait_for()
        person = Person(8_400_000_001 + script, "Petra")
        system.bot_api.push(TOKEN, people.start(person, f"{system.code}-c{script:d}"))
        eventually(tracker.log, 30, "the postback")
        page.goto(f"{system.url}/deliveries")
        page.select_option("#dest", label=title)
        page.select_option("#state", "delivered")

        def is_shown():
            follow(page, "form.filters button")
            return page.locator("#rows tbody tr").count() == 1

        eventually(is_shown, 30, "the delivery")
        follow(page, ".head a[href^='/deliveries/resend']")
        follow(page, "main form[action='/deliveries/resend'] button")
        page.locator("#progress").wait_for()
        eventually(lambda: len(tracker.log()) >= 2, 30, "the second postback")
        told = {"click": f"c{script:d}", "status": "wait"}
        assert all(hit.query == told for hit in tracker.log())
    for row in system.get("dest/list"):
        if row["title"] == title:
            system.post("dest/del", id=row["id"])
