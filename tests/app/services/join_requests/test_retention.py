"""Bios go in time, and a person who is erased is in no request any more."""

from sqlalchemy import Text, TypeDecorator, select, text, type_coerce

from app.crypto import CannotDecrypt, cipher
from app.domain.join_requests.rules import Verdict
from app.extensions import db
from app.models import Blocked, DeskMode, GreetOn, RequestState
from app.models.base import Base
from app.sandbox.telegram import people
from app.sandbox.telegram.people import Person
from app.services.join_requests import retention
from app.services.join_requests.owner import blocklist
from app.services.leads import erasure

PERSON = 7_654_321_098
TRACES = (str(PERSON), "Zuleika", "Dobson", "zuleika_d")


def bios():
    found = list(db.session.scalars(text("SELECT bio FROM join_request ORDER BY id")))
    db.session.rollback()
    return [bio and cipher.decrypt(bio) for bio in found]


def test_a_bio_is_forgotten_thirty_days_after_the_decision(make_asking):
    asking = make_asking(DeskMode.ALL)
    asking.ask(7, bio="I sell")
    asking.decide()
    asking.set(desk=DeskMode.OFF)
    asking.ask(8, bio="I buy")
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


def test_an_erased_person_is_in_no_byte_of_any_table(make_asking):
    asking = make_asking(DeskMode.RULES, greet="Hi {first_name}", greet_on=GreetOn.BOTH)
    asking.rule(Verdict.APPROVE)
    person = Person(PERSON, "Zuleika", "Dobson", "zuleika_d", "en")
    for again in range(2):  # a request that was asked again, and one that is let in
        asking.ask(person, link="https://t.me/+Zlink", bio="Zbio", at=int(asking.now) + again)
    asking.greet()
    asking.now += 5
    asking.decide(3)
    asking.listen()
    blocklist.add(asking.stage.account, str(PERSON), "Zreason")
    found = everything()
    for trace in (*TRACES, "Zbio", "Zreason"):
        assert trace in found
    erasure.erase(asking.stage.account, PERSON)
    left = everything()
    for trace in (*TRACES, "Zbio", "Zreason"):
        assert trace not in left
    assert cipher.person_hash(asking.stage.account, PERSON) in left


def test_who_was_blocked_by_name_stays_blocked_without_it(make_asking):
    asking = make_asking(DeskMode.ALL)
    asking.tell(people.start(Person(7, username="Was_Ann"), asking.stage.code, int(asking.now)))
    asking.ask(Person(7, username="Ann_now"))
    for who in ("@was_ann", "ann_now", "7", "bob_b"):
        blocklist.add(asking.stage.account, who, "rude")
    erasure.erase(asking.stage.account, 7)
    rows = db.session.execute(select(Blocked.subscriber, Blocked.username, Blocked.person)).all()
    hashed = cipher.person_hash(asking.stage.account, 7)
    assert set(map(tuple, rows)) == {(None, None, hashed), (None, "bob_b", None)}


def test_a_bio_goes_also_where_nobody_ever_decides(make_asking):
    asking = make_asking()
    asking.ask(7, bio="I sell")
    retention.forget(asking.now + retention.BIO_KEPT_UNDECIDED - 10)
    assert bios() == ["I sell"]
    retention.forget(asking.now + retention.BIO_KEPT_UNDECIDED + 10)
    assert bios() == [None]


def everything() -> str:
    """All that any table holds, and what the sealed of it says."""
    texts = []
    for table in Base.metadata.sorted_tables:
        for row in db.session.execute(select(*map(raw, table.c))):
            for value in row:
                shown = bytes(value).decode("utf-8", "replace") if is_bytes(value) else str(value)
                texts += [shown, opened(shown)]
    db.session.rollback()
    return "\n".join(texts)


def raw(column):
    return type_coerce(column, Text) if isinstance(column.type, TypeDecorator) else column


def is_bytes(value) -> bool:
    return isinstance(value, bytes | memoryview)


def opened(shown: str) -> str:
    try:
        return cipher.decrypt(shown)
    except CannotDecrypt:
        return ""
