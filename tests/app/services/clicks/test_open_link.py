"""Where a source's link leads, and when a visit becomes a click."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.errors import NotFound
from app.extensions import db
from app.models import Click
from app.services.clicks import sources
from app.services.clicks.open_link import REPEAT_SECONDS, Visitor, open_link

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
