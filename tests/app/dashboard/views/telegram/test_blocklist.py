"""The screen of blocked people: one, a list, out again, as CSV, and whose it is."""

import pytest

from app.extensions import db
from app.models import Blocked
from tests.support.dashboard import tags, text_of

PATH = "/requests/blocked"
SCRIPT = "<script>alert(1)</script>"


def blocked():
    db.session.expire_all()
    rows = [(row.subscriber, row.username, row.reason) for row in db.session.query(Blocked)]
    db.session.commit()
    return rows


def test_a_person_is_blocked_and_let_go(browser):
    assert "Nobody is blocked" in browser.page(PATH)
    page = browser.done(PATH, person="@Spammer", reason="rude")
    assert "1 person is blocked now who was not." in text_of(page)
    assert blocked() == [(None, "spammer", "rude")]
    assert "0 people are blocked now" in text_of(browser.done(PATH, person="spammer"))
    number = db.session.query(Blocked.id).scalar()
    db.session.commit()
    page = browser.done(f"{PATH}/{number}")
    assert "Nobody is blocked" in page
    assert blocked() == []


def test_a_list_is_blocked_and_what_is_exported_can_be_imported_again(browser):
    browser.page(PATH)
    browser.done(f"{PATH}/import", csv="77,bob_b,=rude\r\n@ann_lee\r\n")
    exported = browser.get(f"{PATH}/blocked.csv")
    assert exported.mimetype == "text/csv"
    before = blocked()
    for number in db.session.query(Blocked.id).all():
        browser.done(f"{PATH}/{number[0]}")
    assert blocked() == []
    browser.done(f"{PATH}/import", csv=exported.get_data(as_text=True))
    assert {row[:2] for row in blocked()} == {row[:2] for row in before}


@pytest.mark.parametrize(
    ("path", "typed", "stays"),
    [
        (PATH, {"person": "not a name", "reason": "because"}, "because"),
        (PATH, {"person": ""}, ""),
        (f"{PATH}/import", {"csv": "7\nnot a name"}, "not a name</textarea>"),
        (f"{PATH}/import", {"csv": ""}, ""),
    ],
)
def test_what_is_nobody_is_refused_and_stays_in_the_form(browser, path, typed, stays):
    browser.page(PATH)
    page = browser.refused(path, **typed)
    assert 'role="alert"' in page
    assert 'aria-invalid="true"' in page
    assert stays in page
    assert blocked() == []


def test_a_reason_is_text(browser, world):
    world.blocked(reason=SCRIPT, username=None, subscriber=None)
    page = browser.page(PATH)
    assert "&lt;script&gt;" in page
    assert "erased, and still blocked" in page
    assert tags(page).count("script") == 1


def test_many_are_shown_by_pages(browser, world, monkeypatch):
    monkeypatch.setattr("app.dashboard.answers.ROWS", 2)
    numbers = [world.blocked(username=f"name{number}") for number in range(3)]
    page = browser.page(PATH)
    assert "@name2" in page
    assert "@name0" not in page
    assert f"?before={numbers[1]}" in page
    assert "@name0" in browser.page(f"{PATH}?before={numbers[1]}")
    browser.page(f"{PATH}?before=x", 422)


def test_the_neighbours_list_is_not_there(browser, others_world):
    number = others_world.blocked(username="theirs")
    assert "@theirs" not in browser.page(PATH)
    assert browser.post(f"{PATH}/{number}").status_code == 404
    assert "theirs" not in browser.get(f"{PATH}/blocked.csv").get_data(as_text=True)
    assert len(blocked()) == 1
