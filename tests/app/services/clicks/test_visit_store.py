"""A visit and its press are one row, whichever is told of first, and each is counted once."""

import threading

import orjson
import pytest
from sqlalchemy import select

from app.crypto import cipher
from app.extensions import db
from app.models import Click, Site, SourceDay, table_of
from app.services.clicks import sites, visit_store
from app.services.clicks.visit_store import REPEAT_SECONDS, Report, pressed_at, token_of

NOW = 1_780_000_000.0
MARK = "m" * 22


@pytest.fixture
def source(live_app, world):
    return world.source(world.campaign())


def click(source, **values):
    texts = dict.fromkeys(("external", "referrer", "landing", "country", "city"), "")
    return {
        "account_id": 1, "source_id": source, "campaign_id": 1, "site_id": None, "visitor": MARK,
        "token": token_of(MARK, source), "created": int(NOW), "pressed": None, "flags": 0,
        "ip": None, "ua": None, **texts, **{name: {} for name in ("ids", "utm", "subs", "ad")},
        **values,
    }  # fmt: skip


def visit(source, now=NOW, **values):
    visit_store.record(Report(click(source, landing="https://a.example/", **values), now))


def press(source, now=NOW, **values):
    visit_store.record(Report(click(source, pressed=int(now), **values), now))


def rows():
    found = db.session.scalars(select(Click)).all()
    db.session.commit()
    return found


def counters():
    row = db.session.scalars(select(SourceDay)).one()
    db.session.commit()
    return row.visits, row.clicks, row.repeats


@pytest.mark.parametrize("order", [(visit, press), (press, visit)], ids=["visit", "press"])
def test_the_two_reports_of_a_visit_make_one_click(source, order):
    for index, report in enumerate(order):
        report(source, NOW + index, ids={report.__name__: "x"}, ip=cipher.encrypt("203.0.113.7"))
    (row,) = rows()
    assert row.pressed in (NOW, NOW + 1)
    assert (row.landing, row.ip, row.flags) == ("https://a.example/", "203.0.113.7", 0)
    assert orjson.loads(row.ids) == {"visit": "x", "press": "x"}
    assert counters() == (1, 1, 0)


def test_two_reports_in_one_transaction_are_one_click(source):
    reports = [Report(click(source, pressed=int(NOW)), NOW), Report(click(source), NOW)]
    visit_store._write([visit_store._Pending(report) for report in reports])
    assert len(rows()) == 1


def test_a_report_that_the_database_refuses_answers_for_itself_alone(source):
    odd = Report(click(source, token=token_of("n" * 22, source), external="\x00"), NOW)
    entries = [visit_store._Pending(Report(click(source), NOW)), visit_store._Pending(odd)]
    visit_store._write(entries)
    assert entries[0].fault is None
    if db.engine.dialect.name == "postgresql":
        assert entries[1].fault is not None
    assert token_of(MARK, source) in {row.token for row in rows()}


def test_a_click_that_somebody_holds_keeps_its_own_report_waiting_and_no_other(source):
    if db.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no row locks")
    visit(source)
    other = Report(click(source, token=token_of("n" * 22, source)), NOW)
    entries = [visit_store._Pending(Report(click(source), NOW)), visit_store._Pending(other)]
    with db.engine.begin() as holder:
        holder.execute(select(table_of(Click)).with_for_update())
        visit_store._write(entries)
    assert [entry.fault is not None for entry in entries] == [True, False]
    assert len(rows()) == 2
    press(source)
    assert counters() == (1, 1, 0)


def test_nobody_waits_for_a_site_that_is_being_edited(source, account):
    site = sites.add(account.id, domains=["a.example"], source=source).id
    db.session.commit()
    if db.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no row locks")
    with db.engine.begin() as holder:
        holder.execute(select(table_of(Site)).with_for_update())
        visit(source, site_id=site)
    assert db.session.get_one(Site, site).last_seen < NOW
    db.session.commit()
    visit(source, site_id=site)
    db.session.expire_all()
    assert db.session.get_one(Site, site).last_seen == NOW
    db.session.commit()


def test_a_press_within_minutes_is_a_repeat_and_later_it_is_a_click_again(source):
    for now in (NOW, NOW + REPEAT_SECONDS - 1, NOW + 3 * REPEAT_SECONDS):
        press(source, now)
    assert rows()[0].pressed == int(NOW + 3 * REPEAT_SECONDS)
    assert counters() == (0, 2, 1)


def test_a_visit_of_many_pages_is_counted_once(source):
    for _ in range(3):
        visit(source)
    assert counters() == (1, 0, 0)


def test_addresses_stand_encrypted_in_the_database(source):
    visit(source, ip=cipher.encrypt("203.0.113.7"), ua=cipher.encrypt("Mozilla/5.0"))
    press(source)
    with db.engine.connect() as connection:
        stored = connection.exec_driver_sql("SELECT ip, ua FROM click").one()
    assert "203" not in stored.ip
    assert "Mozilla" not in stored.ua
    assert [rows()[0].ip, rows()[0].ua] == ["203.0.113.7", "Mozilla/5.0"]


def test_reports_side_by_side_make_one_click_and_lose_no_count(source, live_app):
    def report(number):
        with live_app.app_context():
            (press if number % 2 else visit)(source, ids={f"id{number}": "x"})

    threads = [threading.Thread(target=report, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (row,) = rows()
    assert len(orjson.loads(row.ids)) == 16
    assert counters() == (1, 1, 7)


def test_each_source_has_a_click_of_its_own_and_a_token_tells_no_mark(source, world):
    other = world.source(world.campaign())
    visit(source)
    visit(other)
    assert len({row.token for row in rows()}) == 2
    assert token_of(MARK, source) == token_of(MARK, source) != token_of("n" * 22, source)
    assert pressed_at(token_of(MARK, source)) is None


def test_a_site_remembers_when_a_page_reported_last(source, account):
    site = sites.add(account.id, domains=["a.example"]).id
    db.session.commit()
    for now in (NOW, NOW + 1, NOW + 120):
        visit(source, now, site_id=site)
    db.session.rollback()
    assert db.session.get_one(Site, site).last_seen == NOW + 120
