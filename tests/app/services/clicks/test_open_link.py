"""Where a source's link leads, and when a visit becomes a click."""

import threading

import psycopg
import pytest
from sqlalchemy import select

from app.database.rows import is_postgresql
from app.errors import NotFound
from app.extensions import db
from app.models import Click, SourceDay, SourceMode
from app.services.clicks import sources
from app.services.clicks.open_link import PRESS_SECONDS, REPEAT_SECONDS, Visitor, open_link

NOW = 1_700_000_000.0
MARK = "m" * 22
ANN = Visitor("203.0.113.1", MARK)


@pytest.fixture
def source(live_app, world):
    code = sources.add(world.account_id, campaign=world.campaign(), title="Reels").code
    db.session.commit()
    return code


def tokens():
    rows = db.session.scalars(select(Click.token).order_by(Click.id)).all()
    db.session.commit()
    return rows


def test_the_same_browser_gets_a_new_link_after_ten_minutes(source):
    links = [
        open_link(source, b"", ANN, now).link
        for now in (NOW, NOW + REPEAT_SECONDS - 2, NOW + 2 * REPEAT_SECONDS)
    ]
    assert links[0] == links[1] != links[2]
    assert [link.endswith(token) for link, token in zip(links[1:], tokens(), strict=True)]


def test_another_browser_of_the_address_gets_a_link_of_its_own(source):
    bob = Visitor(ANN.address, "b" * 22)
    assert open_link(source, b"", ANN, NOW).link != open_link(source, b"", bob, NOW).link


def test_a_browser_without_a_mark_gets_one(source):
    target = open_link(source, b"", Visitor(ANN.address), NOW)
    assert len(target.mark) == 22
    assert open_link(source, b"", ANN, NOW).mark == MARK


def test_a_preview_is_led_to_the_bot_and_makes_no_click(source):
    target = open_link(source, b"", Visitor(ANN.address, is_preview=True), NOW)
    assert (target.mark, tokens()) == ("", [])
    assert "?start=" in target.link


@pytest.mark.parametrize("code", ["", "x", "nobodys1", "\x00", "é" * 300])
def test_an_unknown_source_leads_nowhere(source, code):
    with pytest.raises(NotFound):
        open_link(code, b"", ANN, NOW)


def press_together(live_app, source: str, query: bytes, visitor: Visitor, now: float) -> list[str]:
    """Two presses in one moment: neither finds the other's click when it looks."""
    gate, links = threading.Barrier(2), []

    def press():
        with live_app.app_context():
            gate.wait()
            links.append(open_link(source, query, visitor, now).link)

    threads = [threading.Thread(target=press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return links


def counted() -> list[tuple[int, int]]:
    return [(row.clicks, row.repeats) for row in db.session.scalars(select(SourceDay))]


def test_who_presses_twice_in_one_moment_makes_one_click(source, live_app):
    """So each decides on the same token."""
    first = open_link(source, b"", ANN, NOW).link
    links = press_together(live_app, source, b"", ANN, NOW + 2 * REPEAT_SECONDS)
    assert links[0] == links[1] != first
    assert len(tokens()) == 2
    assert counted() == [(2, 1)]


def test_the_very_first_two_presses_are_one_by_the_id_of_their_ad_platform(source, live_app):
    """A browser has no mark yet; its fbclid was made for this one press."""
    new = Visitor("203.0.113.77")
    links = press_together(live_app, source, b"fbclid=IwAR1&utm_source=fb", new, NOW)
    assert links[0] == links[1]
    assert len(tokens()) == 1
    assert counted() == [(1, 1)]


@pytest.mark.parametrize("query", [b"fbclid=IwAR2", b"gbraid=IwAR1", b"click=IwAR1", b""])
def test_an_id_that_others_may_have_makes_two_visitors_one_never(source, query):
    """gbraid is of many people, and a tracker's id may have been typed into the ad."""
    first = b"fbclid=IwAR1" if query == b"fbclid=IwAR2" else query
    open_link(source, first, Visitor("203.0.113.77"), NOW)
    open_link(source, query, Visitor("203.0.113.77"), NOW)
    assert len(tokens()) == 2


def test_an_address_that_is_passed_on_is_a_click_of_its_own(source):
    open_link(source, b"fbclid=IwAR1", Visitor("203.0.113.77"), NOW)
    open_link(source, b"fbclid=IwAR1", Visitor("203.0.113.78"), NOW + PRESS_SECONDS)
    assert len(tokens()) == 2


def test_a_press_reads_once_and_writes_once(make_inviting, monkeypatch):
    inviting = make_inviting(mode=SourceMode.INVITE)
    inviting.fill()
    with db.engine.connect() as connection:
        if not is_postgresql(connection):
            pytest.skip("SQLite goes step by step")
    statements, execute = [], psycopg.Cursor.execute

    def note(cursor, statement, *arguments, **options):
        statements.append(statement.split()[0])
        return execute(cursor, statement, *arguments, **options)

    monkeypatch.setattr(psycopg.Cursor, "execute", note)
    target = open_link(inviting.source.code, b"", Visitor(ANN.address), inviting.now)
    assert target.link.startswith("https://t.me/+")
    assert statements == ["SELECT", "WITH"]
