"""A file is written a part at a time, each once, whatever becomes of who writes it."""

import itertools
import threading
import time
from dataclasses import replace

import pytest
import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from app.extensions import db
from app.models import Account, AccountStatus, Export, ExportKind, ExportPart, ExportState
from app.schemas.csv_export import TOO_LONG
from app.schemas.exported_lists import LISTS
from app.services.exports import prepared, writer
from app.services.lists import lead_search


def row_of(number):
    return db.session.get_one(Export, number, populate_existing=True)


def text_of(number):
    return "".join(prepared.text(number, row_of(number).parts))


def clicks(text):
    """What the file tells of whom, in its order."""
    return [line.split(",")[4] for line in text.split("\r\n")[1:-1]]


def write_all():
    while writer.write_part(LISTS):
        pass


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_every_row_stands_in_it_once_under_one_head(ask, people, count):
    campaign = people(count)
    people(1)
    number = ask(campaign=campaign, estimate=count)
    write_all()
    row = row_of(number)
    assert (row.state, row.rows, row.is_cut) == (ExportState.READY, count, False)
    assert row.parts == max(1, -(-count // 2))
    text = text_of(number)
    assert text.startswith("id,campaign,subscriber")
    assert clicks(text) == [f"click{each}" for each in reversed(range(count))]
    assert row.size == db.session.scalar(select(func.sum(func.length(ExportPart.data))))


def test_how_far_it_has_come_is_seen_after_each_part(ask, people):
    number = ask(campaign=people(5), estimate=5)
    seen = []
    while writer.write_part(LISTS):
        row = row_of(number)
        seen.append((row.rows, row.state.__class__(row.state)))
    assert seen == [(2, ExportState.WRITING), (4, ExportState.WRITING), (5, ExportState.READY)]


class Killed(BaseException):
    """The process is gone at this moment."""


@pytest.mark.parametrize("step", ["insert", "update"])
@pytest.mark.parametrize("after", [0, 1])
def test_after_a_kill_in_the_middle_of_a_part_it_goes_on_there(
    ask, people, monkeypatch, step, after
):
    number = ask(campaign=people(5))
    for _ in range(after):
        writer.write_part(LISTS)
    real = getattr(writer, step)

    def killed(*_):
        raise Killed

    monkeypatch.setattr(writer, step, killed)
    with pytest.raises(Killed):
        writer.write_part(LISTS)
    db.session.rollback()  # as the server does with a connection that is gone
    assert row_of(number).parts == after
    monkeypatch.setattr(writer, step, real)
    write_all()
    assert clicks(text_of(number)) == [f"click{each}" for each in reversed(range(5))]


def test_rows_that_come_meanwhile_are_left_out_and_none_is_written_twice(ask, people, world):
    campaign = people(3)
    number = ask(campaign=campaign)
    writer.write_part(LISTS)
    world.lead(campaign, click="late")
    write_all()
    assert clicks(text_of(number)) == ["click2", "click1", "click0"]


def test_two_that_write_at_once_write_each_part_once(live_app, ask, people):
    number = ask(campaign=people(9))
    db.session.rollback()
    gate, faults = threading.Barrier(2), []

    def write():
        with live_app.app_context():
            try:
                gate.wait()
                write_all()
            except BaseException as error:  # noqa: BLE001 - told below
                faults.append(error)

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert (row_of(number).parts, row_of(number).rows) == (5, 9)
    assert clicks(text_of(number)) == [f"click{each}" for each in reversed(range(9))]


def test_one_that_finds_its_part_written_leaves_it(ask, people):
    """Both have read the same rows; the second to store is late."""
    number = ask(campaign=people(5))
    late = row_of(number)
    db.session.expunge(late)
    writer.write_part(LISTS)
    writer._store(late, writer._Part("twice", 2, "[0,0]", is_last=True))
    write_all()
    assert "twice" not in text_of(number)
    assert row_of(number).rows == 5


def test_one_that_is_deleted_while_a_part_is_read_stays_away(ask, people, account):
    number = ask(campaign=people(5))
    late = row_of(number)
    db.session.expunge(late)
    prepared.remove(account.id, number)
    writer._store(late, writer._Part("late", 2, "[0,0]", is_last=False))
    assert db.session.scalar(select(func.count()).select_from(ExportPart)) == 0


@pytest.mark.parametrize(("bound", "most"), [("MOST_ROWS", 4), ("MOST_BYTES", 1)])
def test_one_that_is_too_long_ends_early_and_says_so(ask, people, monkeypatch, bound, most):
    monkeypatch.setattr(writer, bound, most)
    number = ask(campaign=people(5))
    write_all()
    row, text = row_of(number), text_of(number)
    assert (row.state, row.is_cut) == (ExportState.READY, True)
    assert text.endswith(TOO_LONG)
    assert row.rows == (4 if bound == "MOST_ROWS" else 2)
    assert row.rows == text.count("click") - 1  # the head names the column


def test_one_that_just_fits_is_whole(ask, people, monkeypatch):
    monkeypatch.setattr(writer, "MOST_ROWS", 4)
    number = ask(campaign=people(4))
    write_all()
    assert (row_of(number).is_cut, row_of(number).rows) == (False, 4)


def test_people_who_are_searched_for_are_one_part(ask, people, monkeypatch):
    people(4)
    monkeypatch.setattr(lead_search, "MOST", 4)
    number = ask(username="alice")
    write_all()
    assert (row_of(number).rows, row_of(number).parts) == (4, 1)


def test_what_is_not_the_accounts_is_given_up(ask, others_world):
    number = ask(campaign=others_world.campaign())
    write_all()
    assert row_of(number).state == ExportState.FAILED
    assert row_of(number).parts == 0


@pytest.mark.parametrize("fault", [OperationalError("SELECT", {}, Exception("slow")), ValueError()])
def test_a_part_that_fails_is_tried_again_and_given_up_in_the_end(ask, people, fault):
    number = ask(campaign=people(1))
    working = LISTS[ExportKind.LEADS]

    def fail(*_):
        raise fault

    broken = {ExportKind.LEADS: replace(working, text=fail)}
    with structlog.testing.capture_logs():
        assert writer.write_part(broken)
        assert row_of(number).state == ExportState.WRITING
        for _ in range(writer.MOST_FAILURES - 1):
            assert writer.write_part(broken)
    assert row_of(number).state == ExportState.FAILED
    assert not writer.write_part(broken)


def test_for_an_account_that_is_suspended_nothing_is_written_until_it_goes_on(ask, people, account):
    number = ask(campaign=people(1))
    row = db.session.get_one(Account, account.id)
    row.status = AccountStatus.BANNED
    db.session.commit()
    assert not writer.write_part(LISTS)
    row = db.session.get_one(Account, account.id)
    row.status = AccountStatus.ACTIVE
    db.session.commit()
    write_all()
    assert row_of(number).state == ExportState.READY


def test_a_round_is_short_and_the_next_goes_on_without_being_woken(ask, people):
    number = ask(campaign=people(5))
    seconds = itertools.count(step=writer.ROUND_SECONDS / 2)
    writer.work(LISTS, lambda: next(seconds))
    assert row_of(number).rows == 4
    writer.work(LISTS, lambda: 0.0)
    assert row_of(number).state == ExportState.READY


def test_without_anything_to_write_the_database_is_asked_nothing(app, monkeypatch):
    writer.work(LISTS)  # what other tests have woken is over
    monkeypatch.setattr(writer, "write_part", lambda _lists: pytest.fail("it asked"))
    writer.work(LISTS)


def test_times_are_those_of_the_zone_it_was_asked_for_in(ask, people):
    number = ask(campaign=people(1, start_time=1_780_000_000), zone="Europe/Riga")
    write_all()
    assert "2026-05-28 23:26:40+03:00" in text_of(number)
    assert row_of(number).ended <= time.time()
