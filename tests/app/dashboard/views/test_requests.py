"""The screen of join requests: tabs, filters, decisions by form, and the way back."""

import re
import time

import pytest

from app.extensions import db
from app.models import JoinRequest, Message, RequestState
from tests.support.dashboard import tags, text_of

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def campaign(world):
    return world.campaign(chat_title="News")


def states(*numbers):
    db.session.expire_all()
    found = [db.session.get_one(JoinRequest, number).state for number in numbers]
    db.session.commit()
    return found


def test_each_tab_shows_its_requests_and_how_many_there_are(browser, world, campaign):
    world.request(campaign, first_name="Ann", asked=int(time.time()) - 60)
    world.request(campaign, first_name="Bob", state=RequestState.SCHEDULED, due=time.time())
    world.request(campaign, first_name="Cid", state=RequestState.JOINED, decided=time.time())
    world.request(campaign, first_name="Dan", state=RequestState.FAILED, reason="too many chats")
    for tab, name in (
        ("waiting", "Ann"),
        ("scheduled", "Bob"),
        ("decided", "Cid"),
        ("failed", "Dan"),
    ):
        text = text_of(browser.page(f"/requests?tab={tab}"))
        assert name in text
        assert "Waiting 1 Scheduled 1 Decided 1 Failed 1" in text
        assert sum(other in text for other in ("Ann", "Bob", "Cid", "Dan")) == 1
    assert re.search(r"can be written to for [34]:\d\d", text_of(browser.page("/requests")))
    browser.page("/requests?tab=nothing", 404)


def test_filters_find_and_a_wrong_one_is_refused(browser, world, campaign):
    world.request(campaign, first_name="Ann", premium=True)
    world.request(campaign, first_name="Bob", came=2)
    text = text_of(browser.page(f"/requests?premium=1&campaign={campaign}"))
    assert "Ann" in text
    assert "Bob" not in text
    assert "Bob" in text_of(browser.page("/requests?how=click"))
    browser.page("/requests?how=magic", 422)


def test_a_row_says_by_which_source_and_how_long_ago_and_both_are_filters(browser, world, campaign):
    reels = world.source(campaign, title="Reels")
    asked = int(time.time()) - 7300
    world.request(campaign, first_name="Ann", source_id=reels, came=1, language="pt", asked=asked)
    world.request(campaign, first_name="Bob", language="en")
    for query in (f"source={reels}", "language=pt"):
        text = text_of(browser.page(f"/requests?{query}"))
        assert "Ann" in text
        assert "Bob" not in text
        assert "by a source Reels" in text
        assert "2 hours ago" in text


def test_one_is_decided_by_its_button_and_many_by_their_marks(browser, world, campaign):
    one, two, three = (world.request(campaign) for _ in range(3))
    browser.page("/requests")
    page = browser.done("/requests", do=f"approve-{one}", ids=str(two))
    assert "Undo" in page
    assert states(one, two, three) == [1, 0, 0]
    browser.done("/requests", do="decline", ids=[str(two), str(three), "x"])
    assert states(one, two, three) == [1, 1, 1]
    assert browser.post("/requests", do="kick", ids=str(two)).status_code == 404


def test_a_decision_over_many_shows_how_far_it_has_come_at_its_address(browser, world, campaign):
    numbers = [world.request(campaign) for _ in range(3)]
    browser.page("/requests")
    response = browser.post("/requests", do="approve", ids=[str(number) for number in numbers])
    place = response.headers["Location"]
    assert "Telegram is still to hear of 3 people." in browser.page(place)
    for number, state in zip(numbers, (RequestState.JOINED, RequestState.SENDING), strict=False):
        db.session.get_one(JoinRequest, number).state = state
    db.session.commit()
    assert "Telegram is still to hear of 2 people." in browser.page(place)
    for number in numbers:
        db.session.get_one(JoinRequest, number).state = RequestState.APPROVED
    db.session.commit()
    page = browser.page(place)
    assert "Telegram is to hear of nobody any more." in page
    assert 'id="undo"' not in page


def test_a_decision_is_undone(browser, world, campaign):
    number = world.request(campaign)
    browser.page("/requests")
    page = browser.done("/requests", do=f"approve-{number}")
    batch = re.search(r'name="batch" value="(\w+)"', page)[1]
    browser.done("/requests/undo", batch=batch)
    assert states(number) == [0]


def test_all_are_decided_after_a_page_that_says_who_they_are(browser, world, campaign):
    source = world.source(campaign, title="Reels")
    numbers = [
        world.request(campaign, source_id=source, language="ru"), world.request(campaign),
        world.request(campaign, state=RequestState.SCHEDULED),
    ]  # fmt: skip
    text = text_of(browser.page("/requests/all?decision=approve"))
    assert "Let in 2 people?" in text
    assert "Reels: 1" in text
    assert "ru: 1" in text
    browser.done("/requests/all", decision="decline", language="ru")
    assert states(*numbers) == [1, 0, 1]
    browser.page("/requests/all?decision=kick", 404)
    assert browser.post("/requests/all", decision="kick").status_code == 404


def test_one_request_shows_the_bio_and_what_people_say_is_text(browser, world, campaign):
    number = world.request(campaign, first_name=SCRIPT, bio=SCRIPT, link_name=SCRIPT, lead_id=5)
    for path in (f"/requests/{number}", "/requests"):
        page = browser.page(path)
        assert "&lt;script&gt;" in page
        assert tags(page).count("script") == 1


def test_the_neighbours_requests_are_not_there(browser, others_world):
    theirs = others_world.campaign()
    number = others_world.request(theirs)
    browser.page(f"/requests?campaign={theirs}", 404)
    browser.page(f"/requests/{number}", 404)
    browser.page("/requests")
    browser.post("/requests", do=f"approve-{number}")
    assert states(number) == [0]


def test_a_message_is_said_with_a_decision(browser, world, campaign):
    now = int(time.time())
    one, two = (world.request(campaign, asked=now - 5) for _ in range(2))
    browser.page("/requests")
    browser.done("/requests", do=f"decline-{one}", message="Sorry\r\nfull")
    browser.done("/requests/all", decision="decline", message="Full")
    assert states(one, two) == [1, 1]
    said = [row.text for row in db.session.query(Message).order_by(Message.id)]
    db.session.commit()
    assert said == ["Sorry\nfull", "Full"]
    browser.refused("/requests", do=f"approve-{one}", message="x" * 5000)


def test_who_was_let_in_and_is_not_inside_is_found(browser, world, campaign):
    for name, state in (("Ann", RequestState.APPROVED), ("Bob", RequestState.JOINED)):
        world.request(campaign, first_name=name, state=state, decided=time.time())
    text = text_of(browser.page("/requests?tab=decided&state=approved"))
    assert "Ann" in text
    assert "Bob" not in text


def test_without_requests_it_is_empty(browser):
    assert "Nobody is here" in browser.page("/requests")


def test_a_tab_is_a_file_with_its_filters(browser, world, campaign, others_world):
    world.request(campaign, first_name="=Ann()", premium=True, asked=1_780_000_000)
    world.request(campaign, first_name="Bob")
    world.request(campaign, first_name="Cid", state=RequestState.JOINED)
    world.request(campaign, first_name="Dan", state=RequestState.DECLINED)
    others_world.request(others_world.campaign(), first_name="Eve")
    assert "/requests/requests.csv?tab=waiting&amp;premium=1" in browser.page("/requests?premium=1")
    response = browser.get("/requests/requests.csv?premium=1")
    assert response.mimetype == "text/csv"
    head, row, _ = response.get_data(as_text=True).split("\r\n")
    assert head.startswith("id,campaign,chat,subscriber,username")
    assert ",'=Ann()," in row
    assert ",2026-05-28 20:26:40+00:00," in row

    def people(query):
        text = browser.get(f"/requests/requests.csv?{query}").get_data(as_text=True)
        return [name for name in ("Ann", "Bob", "Cid", "Dan", "Eve") if name in text]

    assert people("") == ["Ann", "Bob"]
    assert people("tab=decided") == ["Cid", "Dan"]
    assert people("tab=decided&state=declined") == ["Dan"]
    browser.page("/requests/requests.csv?tab=nothing", 404)
    browser.page("/requests/requests.csv?how=magic", 422)
    browser.page(f"/requests/requests.csv?campaign={others_world.campaign()}", 404)
