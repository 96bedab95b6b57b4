"""Bios go in time, and a person who is erased is in no request any more."""

from __future__ import annotations

from sqlalchemy import select, text

from app.crypto import cipher
from app.extensions import db
from app.models import Blocked, DeskMode, RequestState
from app.sandbox.telegram.people import Person
from app.services.join_requests import retention
from app.services.leads import erasure


def bios():
    found = list(db.session.scalars(text("SELECT bio FROM join_request ORDER BY id")))
    db.session.rollback()
    return [bio and cipher.decrypt(bio) for bio in found]


def test_a_bio_is_forgotten_thirty_days_after_the_decision(make_asking):
    asking = make_asking(DeskMode.ALL)
    asking.ask(7, bio="I sell")
    asking.set(desk=DeskMode.OFF)
    asking.ask(8, bio="I buy")
    asking.decide()
    retention.forget(asking.now + retention.BIO_KEPT - 10)
    assert bios() == ["I sell", "I buy"]
    retention.forget(asking.now + retention.BIO_KEPT + 10)
    assert bios() == [None, "I buy"]


def test_an_erased_person_is_in_no_request_and_stays_blocked(make_asking):
    asking = make_asking(DeskMode.ALL)
    hashed = cipher.person_hash(asking.stage.account, 7)
    db.session.add(
        Blocked(
            account_id=asking.stage.account,
            subscriber=7,
            person=hashed,
            username="ann",
            reason="rude",
            created=1,
        )
    )
    db.session.commit()
    asking.ask(Person(7, "Ann", "Lee", "ann", "en"), link="https://t.me/+abc", bio="I sell")
    asking.ask(Person(8, "Bob"))
    erasure.erase(asking.stage.account, 7)
    gone, other = asking.rows()
    assert (gone.subscriber, gone.state, gone.reason) == (-gone.id, RequestState.GONE, "erased")
    assert (gone.username, gone.first_name, gone.last_name, gone.link_key) == ("", "", "", None)
    assert gone.user_chat == 0
    assert bios() == [None, None]
    assert other.first_name == "Bob"
    row = db.session.execute(select(Blocked.subscriber, Blocked.username, Blocked.person)).one()
    assert tuple(row) == (None, None, hashed)
    db.session.rollback()
    asking.ask(7)
    assert asking.row(7).state == RequestState.WAITING
