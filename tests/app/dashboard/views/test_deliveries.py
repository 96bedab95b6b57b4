from __future__ import annotations

import time

import pytest

from app.dashboard.views import deliveries
from app.extensions import db
from app.models import Postback, PostbackState
from tests.support.dashboard import tags, text_of

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def made(world):
    """A tracker with a postback in each state."""
    dest, campaign = world.destination(title="Keitaro"), world.campaign(chat_title="News")
    now = time.time()
    return dest, [
        world.postback(dest, campaign_id=campaign, state=state, created=now, kind="approve")
        for state in PostbackState
    ]


def test_postbacks_are_listed_by_filters(browser, made):
    dest, _ = made
    text = text_of(browser.page("/deliveries"))
    assert "7 in all" in text
    assert "delivered 1" in text
    text = text_of(browser.page(f"/deliveries?state=failed&dest={dest}&event=approve"))
    assert "1 in all" in text
    assert "No postback here" in browser.page("/deliveries?event=wait")
    browser.page("/deliveries?state=nonsense", 422)
    browser.page("/deliveries?dest=999999", 404)


def test_pages_go_on_behind_the_last_row(browser, world):
    dest = world.destination()
    for index in range(51):
        world.postback(dest, created=time.time() - index)
    page = browser.page("/deliveries")
    older = page.split('href="/deliveries?before=')[1].partition('"')[0]
    page = browser.page(f"/deliveries?before={older}")
    assert (
        page.count('href="/deliveries/') == 3
    )  # the one row, the file, and the link to send again
    assert "Older" not in page


def test_the_filtered_postbacks_are_a_file(browser, made):
    dest, numbers = made
    assert '/deliveries.csv?state=failed"' in browser.page("/deliveries?state=failed")
    response = browser.get("/deliveries/deliveries.csv")
    assert response.mimetype == "text/csv"
    assert len(response.get_data(as_text=True).split("\r\n")) == len(numbers) + 2
    head, row, _ = (
        browser.get(f"/deliveries/deliveries.csv?state=failed&dest={dest}")
        .get_data(as_text=True)
        .split("\r\n")
    )
    assert head.startswith("id,campaign,lead,dest,event,state")
    assert ",failed," in row
    browser.page("/deliveries/deliveries.csv?dest=999999", 404)
    browser.page("/deliveries/deliveries.csv?lead=999999", 404)


def test_attempts_are_shown_as_text_and_cut(browser, world, made):
    _, postbacks = made
    answer = SCRIPT + "\u202e" + "x" * 9000
    world.attempt(postbacks[0], answer=answer, request=f"GET {SCRIPT}", reason=SCRIPT)
    page = browser.page(f"/deliveries/{postbacks[0]}")
    assert "\\u202e" in page
    assert "x" * 4097 not in page
    assert tags(page).count("script") == 1


def test_one_is_sent_again(browser, made):
    _, postbacks = made
    number = postbacks[PostbackState.FAILED]
    assert "on its way again" in browser.done(f"/deliveries/{number}/resend")
    assert db.session.get_one(Postback, number, populate_existing=True).occurrence == 1


def test_many_are_counted_before_they_are_sent_again_and_watched_after(browser, made):
    dest, _ = made
    page = browser.page(f"/deliveries/resend?state=failed&dest={dest}")
    assert "Keitaro approve 1" in text_of(page)
    assert "Send up to 1 again" in page
    page = browser.done("/deliveries/resend", state="failed", dest=dest)
    assert "1 postbacks were put on their way again." in page
    assert "<progress" in page
    assert "The filters find nothing" in browser.page(
        f"/deliveries/resend?state=failed&dest={dest}"
    )


def test_with_very_many_trackers_some_are_counted_apart_and_all_together(
    browser, made, monkeypatch
):
    monkeypatch.setattr(deliveries, "MOST_PARTS", 1)
    page = text_of(browser.page("/deliveries/resend?state=failed"))
    assert "Send up to 1 again" in page
    assert "Keitaro approve 1" not in page


def test_without_a_filter_nothing_is_sent_again(browser, made):
    browser.page("/deliveries/resend")
    assert browser.post("/deliveries/resend").status_code == 422


def test_the_neighbours_postbacks_are_not_there(browser, others_world):
    number = others_world.postback(others_world.destination(title="Theirs"))
    browser.page(f"/deliveries/{number}", 404)
    assert browser.post(f"/deliveries/{number}/resend").status_code == 404
    assert "Theirs" not in browser.page("/deliveries")


def test_a_progress_of_nonsense_is_an_empty_one(browser):
    assert "None of them waits" in browser.page("/deliveries/sent?count=x&at=-1")
