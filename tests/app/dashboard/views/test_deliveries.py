import shlex
import time

import pytest

from app.dashboard import answers
from app.dashboard.views import deliveries
from app.extensions import db
from app.models import Postback, PostbackState
from app.services.postbacks import answered
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


def cells(page):
    """The words of each row of the list."""
    return [text_of(row) for row in page.partition("<tbody>")[2].split("</tr>")[:-1]]


def test_a_row_shows_the_code_and_the_latency_of_its_last_attempt(browser, world):
    number = world.postback(world.destination(), created=time.time(), reason="HTTP 404")
    world.attempt(number, status=500, ms=7)
    world.attempt(number, status=404, ms=1234)
    (row,) = cells(browser.page("/deliveries"))
    assert row.endswith("404 1 234 ms 0")
    assert "HTTP" not in row
    assert "500" not in row


def test_a_reason_that_is_more_than_the_code_stays(browser, world):
    number = world.postback(world.destination(), created=time.time(), reason="no such click")
    world.attempt(number, status=200, ms=5)
    untried = world.postback(world.destination(), created=time.time() - 9, reason="timed out")
    world.attempt(untried, status=None, ms=9)
    first, second = cells(browser.page("/deliveries"))
    assert "failed no such click" in first
    assert "200 5 ms" in first
    assert "failed timed out" in second
    assert "— 9 ms" in second


def test_one_that_waits_tells_when_it_is_tried_next(browser, world):
    due = time.time() + 600
    world.postback(world.destination(), created=time.time(), state=0, due=due)
    (row,) = cells(browser.page("/deliveries"))
    assert f"waiting Next try: {time.strftime('%Y-%m-%d %H:%M', time.gmtime(due))}" in row


def test_deliveries_are_found_by_the_class_of_their_code(browser, world):
    dest, now = world.destination(), time.time()
    for status in (200, 404, 503):
        world.attempt(world.postback(dest, created=now), status=status)
    world.postback(dest, created=now, kind="hold")
    page = browser.page("/deliveries?status=5xx")
    assert "1 of the newest 5\u202f000, newest first" in page
    assert len(cells(page)) == 1
    assert '<option value="5xx" selected>' in page
    assert 'href="/deliveries/resend?status=5xx"' in page
    assert 'href="/deliveries/deliveries.csv?status=5xx"' in page
    file = browser.get("/deliveries/deliveries.csv?status=5xx").get_data(as_text=True)
    assert len(file.splitlines()) == 2
    assert "hold" in cells(browser.page("/deliveries?status=none"))[0]
    empty = text_of(browser.page(f"/deliveries?status=4xx&event=hold&dest={dest}"))
    assert "none has such an answer" in empty
    browser.page("/deliveries?status=9xx", 422)


def test_a_class_is_looked_for_among_the_newest_page_by_page(browser, world, monkeypatch):
    monkeypatch.setattr(answered, "SEARCHED", 2)
    monkeypatch.setattr(answers, "ROWS", 1)
    dest, now = world.destination(), time.time()
    numbers = [world.postback(dest, created=now - age) for age in range(3)]
    world.attempt(numbers[2], status=503)
    assert "Of the newest 2 deliveries none has such an answer" in text_of(
        browser.page("/deliveries?status=5xx")
    )
    assert f'href="/deliveries?status=none&amp;before={numbers[0]}"' in browser.page(
        "/deliveries?status=none"
    )
    page = browser.page(f"/deliveries?status=none&before={numbers[0]}")
    assert len(cells(page)) == 1
    assert "2 of the newest 2" in text_of(page)


def test_those_of_a_class_are_counted_before_they_are_sent_again(browser, world):
    dest, now = world.destination(title="Keitaro"), time.time()
    for status in (200, 503, 503):
        world.attempt(world.postback(dest, created=now), status=status)
    page = text_of(browser.page("/deliveries/resend?status=5xx"))
    assert "Keitaro approve 2" in page
    assert "among the newest 5 000 deliveries" in page
    assert "2 postbacks were put on their way" in text_of(
        browser.done("/deliveries/resend", status="5xx")
    )


def test_the_head_tells_latency_and_the_oldest_due(browser, world):
    page = text_of(browser.page("/deliveries"))
    assert "95 of 100" not in page
    assert "Oldest due" not in page
    dest, now = world.destination(), time.time()
    for ms in range(1, 101):
        world.attempt(world.postback(dest, created=now), ms=ms)
    world.postback(dest, created=now, state=PostbackState.WAITING, due=now - 600)
    page = text_of(browser.page("/deliveries"))
    assert "Half answered within 50 ms 95 of 100 within 95 ms" in page
    assert "last attempts (100) among the newest 200 deliveries" in page
    assert "Oldest due 10 minutes ago" in page


def test_an_attempt_is_also_a_line_for_a_shell(browser, world):
    number = world.postback(world.destination())
    world.attempt(number, request="GET https://t.example/?token=***&a=1")
    page = text_of(browser.page(f"/deliveries/{number}"))
    assert "curl --globoff -X GET" in page
    assert "The same for a shell" not in browser.page(
        f"/deliveries/{world.postback(world.destination())}"
    )


def test_what_stands_in_a_request_is_a_word_of_the_line_and_no_command():
    request = "POST https://t.example/?q='$(id)\nA: `b`\n\n@x; rm -rf\n\ny"
    assert shlex.split(deliveries.curl_of(request)) == [
        "curl", "--globoff", "-X", "POST", "https://t.example/?q='$(id)", "-H", "A: `b`",
        "--data-raw", "@x; rm -rf\n\ny",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["", "erased", "GET -o/etc/x", "GET https://t.example/" + "x" * 5000]
)
def test_what_is_no_whole_request_is_no_line(text):
    assert deliveries.curl_of(text) == ""
