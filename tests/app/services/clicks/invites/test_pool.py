"""Links that lie ready: each goes to one click, and lives its whole time from then on."""

import threading
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from app.extensions import db
from app.models import Bot, InviteKind, SourceMode
from app.services.clicks.invites import pool


@pytest.fixture
def inviting(make_inviting):
    return make_inviting(mode=SourceMode.INVITE)


def row(inviting, **fields):
    """What `open_link` reads of the source."""
    values = {
        "id": inviting.source.id,
        "bot_id": inviting.stage.bot,
        "chat_id": inviting.chat.id,
        "link_ttl": 3600,
    }
    return SimpleNamespace(**values | fields)


def test_the_link_that_expires_first_goes_first_and_none_goes_twice(inviting):
    inviting.fill(2)
    source = row(inviting)
    links = []
    while handed_out := pool.hand_out(source, InviteKind.SINGLE, f"{len(links):016}", inviting.now):
        links.append(handed_out)
    assert len(links) == len({handed_out.link for handed_out in links}) == len(inviting.invites())
    assert [link.expires for link in links] == sorted(link.expires for link in links)


def test_a_link_that_would_not_live_its_time_stays_in_the_pool(inviting):
    inviting.fill()
    expires = inviting.invites()[0].expires
    for ttl, is_left in ((3600, True), (3601, False)):
        source = row(inviting, link_ttl=ttl)
        handed_out = pool.hand_out(source, InviteKind.SINGLE, f"{ttl:016}", expires - 3601)
        assert (handed_out is not None) is is_left


@pytest.mark.parametrize("other", [{"chat_id": -5}, {"bot_id": 99}])
def test_links_of_another_chat_or_kind_are_not_handed_out(inviting, other):
    inviting.fill()
    assert pool.hand_out(row(inviting, **other), InviteKind.SINGLE, "t" * 16, inviting.now) is None
    assert pool.hand_out(row(inviting), InviteKind.REQUEST, "t" * 16, inviting.now) is None


def test_many_who_press_at_once_get_different_links(inviting, live_app):
    inviting.fill(2)
    source, ready = row(inviting), len(inviting.invites())
    links, lock = [], threading.Lock()

    def press(number: int) -> None:
        with live_app.app_context():
            handed_out = pool.hand_out(source, InviteKind.SINGLE, f"{number:016}", inviting.now)
            db.session.remove()
        with lock:
            links.append(handed_out.link if handed_out else None)

    threads = [threading.Thread(target=press, args=(number,)) for number in range(ready + 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    handed_out = [link for link in links if link]
    assert len(handed_out) == len(set(handed_out)) == ready


def test_a_link_that_cannot_be_decrypted_is_like_none(inviting):
    inviting.fill()
    db.session.execute(text("UPDATE invite SET link = 'another key'"))
    db.session.commit()
    assert pool.hand_out(row(inviting), InviteKind.SINGLE, "t" * 16, inviting.now) is None
    assert pool.of_click("t" * 16, inviting.now) == (True, None)


@pytest.mark.parametrize("fields", [{"status": 3}, {"paused": "x"}, {"token": "unreadable"}])
def test_a_bot_that_cannot_call_makes_no_link(inviting, fields):
    if "token" in fields:
        db.session.execute(text("UPDATE bot SET token = 'another key'"))
        db.session.commit()
    else:
        inviting.set(Bot, **fields)
    assert pool.make_now(row(inviting), InviteKind.SINGLE, "t" * 16, inviting.now) is None
    assert inviting.calls == 0
