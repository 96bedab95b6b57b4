"""Visits that come together are written together, and each is counted."""

import threading

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError

from app.database.rows import is_postgresql
from app.domain.time_ranges import DAY
from app.extensions import db
from app.models import (
    Click,
    Invite,
    InviteKind,
    InviteState,
    Source,
    SourceDay,
    SourceMode,
    table_of,
)
from app.services.clicks import sources, store
from app.services.clicks.grouped.visit import PoolOrder, Stored, Visit

NOON = 1_780_000_000.0


@pytest.fixture
def source(live_app, world):
    number = sources.add(world.account_id, campaign=world.campaign(), title="Reels").id
    db.session.commit()
    return number


def click(source, number):
    texts = dict.fromkeys(("visitor", "external", "referrer", "country"), "")
    objects = dict.fromkeys(("ids", "utm", "subs", "ad"), "{}")
    return {
        "account_id": 1, "source_id": source, "campaign_id": 1, "token": f"{number:016}",
        "created": int(NOON), "pressed": int(NOON), "flags": 0, **texts, **objects,
    }  # fmt: skip


def day(source, number):
    row = db.session.get(SourceDay, (source, number))
    db.session.expire_all()
    return row and (row.clicks, row.repeats, row.previews, row.paused)


def test_a_visit_is_stored_when_the_call_returns(source):
    store.record(Visit(source, "clicks", NOON, click(source, 1)))
    assert db.session.scalars(select(Click.token)).all() == [f"{1:016}"]
    assert day(source, int(NOON // DAY)) == (1, 0, 0, 0)


def test_each_kind_of_visit_has_its_counter_and_each_day_its_row(source):
    today, tomorrow = int(NOON // DAY), int(NOON // DAY) + 1
    for counter in ("repeats", "previews", "paused", "paused"):
        store.record(Visit(source, counter, NOON))
    store.record(Visit(source, "previews", NOON + DAY))
    assert (day(source, today), day(source, tomorrow)) == ((0, 1, 1, 2), (0, 0, 1, 0))


def test_visits_side_by_side_lose_no_count(source, live_app):
    def visit(number):
        with live_app.app_context():
            store.record(Visit(source, "clicks", NOON, click(source, number)))

    threads = [threading.Thread(target=visit, args=(number,)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert day(source, int(NOON // DAY)) == (24, 0, 0, 0)
    assert len(db.session.scalars(select(Click.id)).all()) == 24


def test_a_click_that_the_database_refuses_answers_for_itself_alone(source):
    store.record(Visit(source, "clicks", NOON, click(source, 1)))
    visits = [Visit(source, "clicks", NOON, click(source, number)) for number in (2, 4, 3)]
    visits[1].click["visitor"] = None
    entries = [store._Pending(visit) for visit in visits]
    store._write(entries)  # as they come together
    assert [entry.fault is not None for entry in entries] == [False, True, False]
    assert day(source, int(NOON // DAY)) == (3, 0, 0, 0)
    assert len(db.session.scalars(select(Click.id)).all()) == 3
    db.session.commit()
    with pytest.raises(IntegrityError):
        store.record(visits[1])


def test_a_token_that_is_repeat_is_stored_and_counted_once(source):
    visit = Visit(source, "clicks", NOON, click(source, 1))
    entries = [store._Pending(visit), store._Pending(visit)]
    store._write(entries)  # as they come together
    assert [entry.result.is_repeat for entry in entries] == [False, True]
    assert store.record(visit).is_repeat
    assert day(source, int(NOON // DAY)) == (1, 0, 0, 0)


class TestWithAPool:
    """Visitors who get a link of their own together with their click."""

    @pytest.fixture
    def inviting(self, make_inviting):
        inviting = make_inviting(mode=SourceMode.INVITE)
        inviting.fill()
        return inviting

    def visit(self, inviting, number, **order):
        token = f"{number:016}"
        wanted = PoolOrder(inviting.stage.bot, inviting.chat.id, InviteKind.SINGLE, 3600, token)
        source = inviting.source.id
        return Visit(
            source, "clicks", inviting.now, click(source, number), wanted._replace(**order)
        )

    def handed_out(self, inviting):
        return [row.token for row in inviting.invites() if row.state == InviteState.HANDED_OUT]

    def write(self, visits):
        entries = [store._Pending(visit) for visit in visits]
        store._write(entries)  # as they come together
        return entries

    def test_each_gets_a_link_of_their_own_and_no_one_waits_for_an_empty_pool(self, inviting):
        visits = [self.visit(inviting, n, **({"chat_id": -7} if n % 2 else {})) for n in range(6)]
        links = [entry.result.link for entry in self.write(visits)]
        assert [bool(link) for link in links] == [True, False] * 3
        assert len(set(links)) == 4
        tokens = {f"{number:016}" for number in (0, 2, 4)}
        assert {row.token for row in inviting.clicks()} == set(self.handed_out(inviting)) == tokens
        assert day(inviting.source.id, int(inviting.now // DAY)) == (3, 0, 0, 0)

    def test_more_than_lie_ready_get_each_of_them_once(self, inviting):
        ready = len(inviting.invites())
        entries = self.write([self.visit(inviting, number) for number in range(ready + 3)])
        links = [entry.result.link for entry in entries if entry.result.link]
        assert len(links) == len(set(links)) == ready == len(inviting.clicks())

    def test_links_of_two_lengths_of_life_come_from_one_pool(self, inviting):
        visits = [self.visit(inviting, n, link_ttl=3600 + n % 2) for n in range(4)]
        assert len({entry.result.link for entry in self.write(visits)} - {None}) == 4

    def test_a_group_that_is_rolled_back_takes_no_link_with_it(self, inviting):
        visits = [self.visit(inviting, number) for number in range(3)]
        visits[1].click["visitor"] = None
        entries = self.write(visits)
        assert [entry.fault is not None for entry in entries] == [False, True, False]
        stored = [f"{number:016}" for number in (0, 2)]
        assert (
            sorted(self.handed_out(inviting)) == [row.token for row in inviting.clicks()] == stored
        )

    def test_a_click_that_is_repeat_takes_no_second_link(self, inviting):
        self.write([self.visit(inviting, 1)])
        (again,) = self.write([self.visit(inviting, 1)])
        assert again.result == Stored(is_repeat=True)
        assert len(self.handed_out(inviting)) == 1


def test_a_click_belongs_to_whoever_has_its_source_when_it_is_stored(source, other):
    db.session.execute(update(Source).values(account_id=other.id))
    db.session.commit()
    store.record(Visit(source, "clicks", NOON, click(source, 1)))
    assert db.session.scalars(select(Click.account_id)).all() == [other.id]


class TestOnPostgresql:
    """SQLite has one writer at a time, so nobody holds a row there."""

    @pytest.fixture(autouse=True)
    def _only_there(self, live_app):
        with db.engine.connect() as connection:
            if not is_postgresql(connection):
                pytest.skip("SQLite has no row locks")

    def test_nobody_waits_for_a_transfer_that_holds_the_source(self, source, other):
        with db.engine.begin() as transfer:
            transfer.execute(update(table_of(Source)).values(account_id=other.id))
            store.record(Visit(source, "clicks", NOON, click(source, 1)))
        assert len(db.session.scalars(select(Click.id)).all()) == 1
        assert day(source, int(NOON // DAY)) == (1, 0, 0, 0)

    def test_a_link_that_somebody_holds_is_left_to_them(self, make_inviting):
        inviting = make_inviting(mode=SourceMode.INVITE)
        inviting.fill()
        with db.engine.begin() as holder:
            holder.execute(select(table_of(Invite)).order_by(Invite.id).limit(1).with_for_update())
            visit = TestWithAPool().visit(inviting, 1)
            assert store.record(visit).link
        assert inviting.invites()[0].state == InviteState.POOL

    def test_who_dies_while_they_store_takes_no_link_and_leaves_no_click(
        self, make_inviting, live_app
    ):
        inviting = make_inviting(mode=SourceMode.INVITE)
        inviting.fill()
        visit = TestWithAPool().visit(inviting, 1)
        store.record(visit._replace(counter="repeats", click=None, order=None))  # the day's row
        faults = []

        def press():
            with live_app.app_context(), pytest.raises(OperationalError) as caught:
                store.record(visit)
            faults.append(caught.value)

        with db.engine.begin() as holder:
            holder.execute(select(table_of(SourceDay)).with_for_update())
            thread = threading.Thread(target=press)
            thread.start()
            end = text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            while not faults and thread.is_alive():
                holder.execute(end)
            thread.join()
        assert faults
        assert inviting.clicks() == []
        assert {row.state for row in inviting.invites()} == {InviteState.POOL}
        assert store.record(visit).link

    def test_counts_that_somebody_holds_are_added_with_the_next_visit(self, source):
        store.record(Visit(source, "clicks", NOON, click(source, 1)))
        with db.engine.begin() as holder:
            holder.execute(select(table_of(SourceDay)).with_for_update())
            store.record(Visit(source, "clicks", NOON, click(source, 2)))
            store.record(Visit(source, "clicks", NOON, click(source, 3)))
            assert len(db.session.scalars(select(Click.id)).all()) == 3
            assert day(source, int(NOON // DAY)) == (1, 0, 0, 0)
            db.session.commit()
        store.record(Visit(source, "repeats", NOON))
        assert day(source, int(NOON // DAY)) == (3, 1, 0, 0)
        store.record(Visit(source, "repeats", NOON))
        assert day(source, int(NOON // DAY)) == (3, 2, 0, 0)
