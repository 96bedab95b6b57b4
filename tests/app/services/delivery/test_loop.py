"""Delivery: in order per lead, fair over destinations, each try on record."""

import ipaddress
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, text

from app.extensions import db
from app.models import Account, Destination, Postback, PostbackState
from app.outbound.transport import Failure, Transport
from app.sandbox.telegram import people
from app.services import postbacks
from app.services.accounts import accounts
from app.services.delivery.commits import CommitsAside
from app.services.delivery.limits.concurrency import CLAIMED_AT_ONCE, PER_DESTINATION
from app.services.delivery.loop import Delivery
from app.services.delivery.targets import DestinationResolver
from plugins.contract import DeliveryPolicy, RateLimit, Response, hookimpl
from plugins.registry import Registry, make_adapter
from tests.support.adapters import PlainPlugin
from tests.support.delivery import OK, Exchange, T, alter, attempts
from tests.support.servers import Server, polite, serving


class Limited(PlainPlugin):
    """A tracker that takes one request a minute."""

    @hookimpl
    def delivery_policy(self):
        return DeliveryPolicy(rate_limit=RateLimit("k", 1, 1))


LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
ANN = people.Person(101, username="ann")
BOB = people.Person(102)


def test_a_postback_is_delivered_and_its_attempt_kept(stage, deliver):
    stage.play(people.start(ANN, f"{stage.code}-a b&c", T))
    exchange = Exchange(Response(200, {}, b"thanks \x00\xff"))
    assert deliver(exchange) == 1
    (postback,) = stage.postbacks()
    assert (postback.state, postback.tries) == (PostbackState.DELIVERED, 1)
    assert postback.settled is not None
    assert exchange.sent[0].url.endswith(f"?click=a%20b%26c&status=wait&lead={postback.lead_id}")
    (attempt,) = attempts()
    assert (attempt.status, attempt.verdict, attempt.number) == (200, "delivered", 1)
    assert "thanks" in attempt.answer


def test_the_statuses_of_one_lead_go_in_order_and_all_of_them(stage, deliver):
    chat = people.Chat(stage.chat, "x", "supergroup")
    stage.play(
        people.start(ANN, f"{stage.code}-a", T),
        people.join_request(ANN, chat, T + 1),
        people.join(ANN, chat, T + 2),
        people.leave(ANN, chat, T + 3),
    )
    exchange = Exchange()
    assert deliver(exchange) == 4
    assert exchange.statuses() == ["wait", "hold", "approve", "cancel"]
    assert exchange.most_in_flight == 1


def test_a_failed_status_is_superseded_by_a_newer_one(stage, deliver, clock):
    stage.play(people.start(ANN, f"{stage.code}-a", T))
    deliver(Exchange(Response(500)))
    (postback,) = stage.postbacks()
    assert (postback.state, postback.tries) == (PostbackState.WAITING, 1)
    stage.play(people.join(ANN, people.Chat(stage.chat, "x", "supergroup"), T + 2))
    clock.now += 100_000
    exchange = Exchange()
    deliver(exchange)
    assert exchange.statuses() == ["approve"]
    assert [one.state for one in stage.postbacks()] == [
        PostbackState.SUPERSEDED,
        PostbackState.DELIVERED,
    ]


def test_a_status_that_failed_while_a_newer_one_came_is_superseded_at_its_retry(
    stage, deliver, clock
):
    stage.play(people.start(ANN, f"{stage.code}-a", T))
    joined = people.join(ANN, people.Chat(stage.chat, "x", "supergroup"), T + 2)

    def fail_and_join(request):
        if "status=wait" in request.url:
            stage.play(joined)  # committed while the wait is in the air
            return Response(503)
        return OK

    deliver(Exchange(fail_and_join))
    clock.now += 100_000
    exchange = Exchange()
    deliver(exchange)
    assert "wait" not in exchange.statuses()
    assert [one.state for one in stage.postbacks()] == [
        PostbackState.SUPERSEDED,
        PostbackState.DELIVERED,
    ]


def test_an_adapter_that_wants_every_event_loses_none(stage, deliver, clock):
    alter(Destination, every_event=True)
    stage.play(people.start(ANN, f"{stage.code}-a", T))
    deliver(Exchange(Response(500)))
    stage.play(people.join(ANN, people.Chat(stage.chat, "x", "supergroup"), T + 2))
    exchange = Exchange()
    deliver(exchange)
    assert exchange.statuses() == []  # approve waits for its turn
    clock.now += 100_000
    deliver(exchange)
    assert exchange.statuses() == ["wait", "approve"]


def test_the_schedule_is_used_up_and_the_row_ends(stage, deliver, clock):
    stage.play(people.start(ANN, f"{stage.code}-a", T))
    for _ in range(12):
        deliver(Exchange(Failure.TIMEOUT))
        clock.now += 200_000
        alter(Destination, failures=0, blocked_until=0.0)
    (postback,) = stage.postbacks()
    assert postback.state == PostbackState.FAILED
    assert postback.tries == len(attempts()) == 9
    assert attempts()[-1].next_try is None


def test_every_try_goes_under_the_same_key_and_a_resend_under_another(stage, deliver, clock):
    stage.play(people.start(ANN, f"{stage.code}-a", T))
    for answer in (Response(500), OK):
        deliver(Exchange(answer))
        clock.now += 100
    (postback,) = stage.postbacks()
    assert postbacks.resend(stage.account, [postback.id], clock.now) == 1
    deliver(Exchange())
    first, second, third = (one.key for one in attempts())
    assert first == second != third
    assert stage.postbacks()[0].occurrence == 1


def test_the_breaker_opens_after_ten_failures_and_then_lets_one_through(stage, deliver, clock):
    for number in range(40):
        stage.play(people.start(people.Person(1000 + number), f"{stage.code}-a", T))
    exchange = Exchange(Failure.TIMEOUT)
    deliver(exchange)
    tried = len(exchange.sent)
    assert 10 <= tried <= 32
    again = Exchange(Failure.TIMEOUT)
    deliver(again)
    assert again.sent == []
    clock.now += 700
    deliver(again)
    assert len(again.sent) == 1


def test_success_closes_the_breaker(stage, deliver, clock):
    for number in range(30):
        stage.play(people.start(people.Person(1000 + number), f"{stage.code}-a", T))
    deliver(Exchange(Failure.TIMEOUT))
    clock.now += 100_000
    deliver(Exchange())
    assert {one.state for one in stage.postbacks()} == {PostbackState.DELIVERED}
    assert db.session.get(Destination, stage.destination).failures == 0
    db.session.commit()


def test_a_hanging_destination_keeps_only_its_own_places(make_stage, deliver):
    slow, quick = make_stage(url="http://127.0.0.2/slow"), make_stage(url="http://127.0.0.3/quick")
    for number in range(100):
        slow.play(people.start(people.Person(1000 + number), f"{slow.code}-a", T))
    quick.play(people.start(ANN, f"{quick.code}-a", T))
    answered: list[str] = []

    class Hanging(Exchange):
        """Answers the quick one; the slow ones never."""

        def start(self, request, tag):
            self.sent.append(request)
            if "quick" in request.url:
                super().start(request, tag)
                answered.append(request.url)

    exchange = Hanging()
    turns = iter(range(50))
    deliver(exchange, stop=lambda: next(turns, 99) > 40)
    assert quick.postbacks()[0].state == PostbackState.DELIVERED
    assert sum("slow" in one.url for one in exchange.sent) <= 16


def test_a_stop_hands_back_what_was_not_tried(stage, deliver):
    for number in range(30):
        stage.play(people.start(people.Person(1000 + number), f"{stage.code}-a", T))

    class Silent(Exchange):
        def start(self, request, tag):
            self.sent.append(request)
            self._tags = [*getattr(self, "_tags", []), tag]

        def abort(self):
            return self._tags

    turns = iter(range(50))
    deliver(Silent(), stop=lambda: next(turns, 99) > 3)
    rows = stage.postbacks()
    assert {(one.state, one.tries, one.lease) for one in rows} == {(PostbackState.WAITING, 0, None)}
    assert attempts() == []


def test_an_expired_lease_returns_and_the_late_holder_moves_nothing(stage, deliver, clock):
    stage.play(people.start(ANN, f"{stage.code}-a", T))

    def stolen(_request):
        """While we are sending, our lease expires and another takes the row."""
        postbacks.sweep(db.session.connection(), clock.now + 1000)
        db.session.commit()
        caught = postbacks.claim(
            db.session.connection(),
            now=clock.now,
            lease="other",
            until=clock.now + 45,
            after=0,
            quota_for=lambda _, most: min(10, most),
            most=10,
        )
        db.session.commit()
        assert len(caught.postbacks) == 1
        return OK

    deliver(Exchange(stolen))
    (postback,) = stage.postbacks()
    assert (postback.state, postback.lease) == (PostbackState.SENDING, "other")
    assert len(attempts()) == 1


def test_campaigns_without_templates_use_the_accounts(make_stage, deliver):
    stage = make_stage()
    alter(Destination, campaign_id=None)
    stage.play(people.start(ANN, f"{stage.code}-a", T))
    assert deliver(Exchange()) == 1


def test_a_campaigns_own_templates_hide_all_five_of_the_account(make_stage, deliver):
    stage = make_stage()
    account_wide = Destination(
        account_id=stage.account,
        campaign_id=None,
        role=0,
        tracker="url_template",
        settings=json.dumps({"urls": {"wait": "http://127.0.0.2/account"}}),
        events=1,
        created=T,
    )
    db.session.add(account_wide)
    db.session.commit()
    stage.play(people.start(ANN, f"{stage.code}-a", T))
    assert len(stage.postbacks()) == 1
    assert stage.postbacks()[0].destination_id == stage.destination


def test_the_timer_of_a_drain_disturbs_no_statement_that_takes_long(stage, deliver):
    stage.play(people.start(ANN, f"{stage.code}-a", T))

    def answer(_request):
        if db.engine.dialect.name == "postgresql":
            db.session.execute(text("SELECT pg_sleep(0.25)"))
        return OK

    assert deliver(Exchange(answer)) == 1
    assert [attempt.verdict for attempt in attempts()] == ["delivered"]


class Bug(Exception):
    """What code raises that is not right yet."""


@pytest.fixture
def delivery(live_app, clock, clean_redis) -> Callable[..., Delivery]:
    """`delivery(exchange, trackers)`: one that lives on after a run that raised."""

    def make(exchange: Exchange, trackers: Any = None) -> Delivery:
        resolver = DestinationResolver(trackers or live_app.extensions["trackers"])
        return Delivery(exchange, resolver, lease_seconds=45, clock=clock, rng=lambda: 0.5)

    return make


def test_what_is_settled_is_settled_once_when_taking_up_what_was_claimed_with_it_fails(
    make_stage, delivery, live_app
):
    """Outcomes are forgotten as soon as they are committed, before anything else happens."""
    whole, odd = make_stage(), make_stage()

    class Odd:
        def get(self, name):
            if name == "odd":
                raise Bug
            return live_app.extensions["trackers"].get(name)

    def come_meanwhile(_request):
        odd.play(people.start(BOB, f"{odd.code}-b", T))
        return OK

    whole.play(people.start(ANN, f"{whole.code}-a", T))
    alter_row(odd.destination, tracker="odd")
    worker = delivery(Exchange(come_meanwhile), Odd())
    for _ in range(2):
        with suppress(Bug):
            worker.run(seconds=60)
        db.session.rollback()
    (postback,) = whole.postbacks()
    assert (postback.state, postback.tries) == (PostbackState.DELIVERED, 1)
    assert len(attempts()) == 1
    assert odd.postbacks()[0].state == PostbackState.SENDING  # until its lease is over


def test_what_was_claimed_is_in_hand_before_a_destination_is_blocked(
    make_stage, delivery, live_app, clock
):
    """Another transaction blocks it; if that fails, the next run sends what the last claimed."""
    spent, whole = make_stage(), make_stage()
    alter_row(spent.destination, tracker="limited")
    registry = Registry(
        {
            "limited": make_adapter("limited", Limited()),
            "url_template": live_app.extensions["trackers"].get("url_template"),
        }
    )
    spent.play(*(people.start(people.Person(number), f"{spent.code}-a", T) for number in (1, 2)))
    exchange = Exchange()
    worker = delivery(exchange, registry)
    assert worker.run(seconds=60) == 2  # one of them waits for a token
    db.session.commit()
    alter(Postback, due=clock.now)
    whole.play(people.start(ANN, f"{whole.code}-a", T))

    def refuse(_connection, _cursor, statement, *_):
        if statement.startswith("UPDATE destination SET blocked_until"):
            raise Bug

    with listening(refuse), pytest.raises(Bug):
        worker.run(seconds=60)
    db.session.rollback()
    assert whole.postbacks()[0].state == PostbackState.SENDING
    worker.run(seconds=60)
    db.session.commit()
    assert whole.postbacks()[0].state == PostbackState.DELIVERED


def test_a_run_counts_what_it_settled_itself(stage, delivery):
    worker = delivery(Exchange())
    for person in (ANN, BOB):
        stage.play(people.start(person, f"{stage.code}-a", T))
        assert worker.run(seconds=60) == 1
        db.session.commit()


def test_a_tracker_that_nobody_had_time_to_hear_is_charged_nothing(stage, deliver):
    stage.play(people.start(ANN, f"{stage.code}-a", T))

    class Unheard(Exchange):
        """The first exchange runs out while nobody looks."""

        def poll(self, _seconds):
            answers = super().poll(_seconds)
            if len(self.sent) > 1:
                return answers
            failure = Failure.UNREACHABLE
            return [
                replace(one, response=None, failure=failure, may_be_ours=True) for one in answers
            ]

    exchange = Unheard()
    assert deliver(exchange) == 2
    (postback,) = stage.postbacks()
    assert (postback.state, postback.tries) == (PostbackState.DELIVERED, 1)
    assert len(exchange.sent) == 2
    assert [attempt.verdict for attempt in attempts()] == ["delivered"]
    assert db.session.get(Destination, stage.destination).failures == 0
    db.session.commit()


def test_of_what_was_claimed_nothing_more_is_begun_once_its_account_is_banned(
    stage, delivery, clock
):
    """What was claimed waits for its slots for seconds; after a ban it waits for the unban."""
    people_start(stage, 501)
    login = db.session.get(Account, stage.account).login
    db.session.commit()

    class Banning(Exchange):
        sent_before_the_ban = 0

        def poll(self, seconds):
            if len(self.sent) > 150 and not self.sent_before_the_ban:
                self.sent_before_the_ban = len(self.sent)
                accounts.ban(login, banned=True)
                clock.now += 2  # by then it was asked
            return super().poll(seconds)

    exchange = Banning()
    worker = delivery(exchange)
    worker.run(seconds=60)
    db.session.commit()
    sent = len(exchange.sent)
    assert sent <= exchange.sent_before_the_ban + PER_DESTINATION
    states = [row.state for row in stage.postbacks()]
    assert states.count(PostbackState.DELIVERED) == sent
    assert states.count(PostbackState.WAITING) == 500 - sent
    accounts.ban(login, banned=False)
    clock.now += 60
    worker.run(seconds=60)
    db.session.commit()
    assert {row.state for row in stage.postbacks()} == {PostbackState.DELIVERED}


@pytest.fixture
def server() -> Iterator[Server]:
    """A tracker that takes everything."""
    with serving(polite) as running:
        yield running


@pytest.fixture
def aside(live_app, clean_redis, clock) -> Iterator[Delivery]:
    """One that goes on with the network while its transactions are committed."""
    with Transport(allow=LOOPBACK) as transport:
        yield Delivery(
            transport,
            DestinationResolver(live_app.extensions["trackers"]),
            lease_seconds=45,
            commits=CommitsAside(db.engine, transport.interrupt),
            clock=clock,
        )


def people_start(stage: Any, many: int) -> None:
    stage.play(*(people.start(people.Person(n), f"{stage.code}-{n}", T) for n in range(1, many)))


def test_each_postback_is_sent_once_and_settled_while_commits_run_aside(make_stage, aside, server):
    stages = [make_stage(url=f"{server.url}/{name}") for name in ("one", "two")]
    for stage in stages:
        people_start(stage, 151)
    assert aside.run(seconds=60) == 300
    assert len(server.requests) == len(set(server.requests)) == 300
    rows = [row for stage in stages for row in stage.postbacks()]
    assert {(row.state, row.tries) for row in rows} == {(PostbackState.DELIVERED, 1)}


def test_others_are_sent_while_a_commit_waits_for_the_database(make_stage, aside, server):
    """The second claim waits until all that the first has brought has arrived."""
    stage = make_stage(url=f"{server.url}/pb")
    people_start(stage, CLAIMED_AT_ONCE)
    claims: list[int] = []

    def wait_for_answers(_connection, _cursor, statement, *_):
        if "UPDATE postback SET state" in statement and "lease_until" in statement:
            claims.append(1)
            if len(claims) == 2:
                assert eventually(lambda: len(server.requests) >= PER_DESTINATION)

    with listening(wait_for_answers):
        assert aside.run(seconds=60) == CLAIMED_AT_ONCE - 1
    assert len(claims) > 2
    assert len(server.requests) == len(set(server.requests)) == CLAIMED_AT_ONCE - 1


def test_outcomes_of_a_commit_that_failed_aside_are_settled_by_the_next(make_stage, aside, server):
    stage = make_stage(url=f"{server.url}/pb")
    people_start(stage, 2)

    def refuse(_connection, _cursor, statement, *_):
        if "INSERT INTO attempt" in statement:
            raise Bug

    with listening(refuse), pytest.raises(Bug):
        aside.run(seconds=60)
    assert stage.postbacks()[0].state == PostbackState.SENDING
    assert aside.run(seconds=60) == 1
    assert stage.postbacks()[0].state == PostbackState.DELIVERED
    assert len(server.requests) == len(attempts()) == 1


def test_outcomes_are_settled_also_while_no_claim_succeeds(make_stage, aside, server):
    """They are written with a claim, but not kept back by one that fails again and again."""
    stage = make_stage(url=f"{server.url}/pb")
    people_start(stage, 2)

    written: list[int] = []

    def refuse(_connection, _cursor, statement, *_):
        if "INSERT INTO attempt" in statement:
            written.append(1)
        elif written and "next (id, lap, before)" in statement:
            raise Bug

    with listening(refuse):
        for _ in range(2):
            with pytest.raises(Bug):
                aside.run(seconds=60)
    assert stage.postbacks()[0].state == PostbackState.DELIVERED
    assert len(server.requests) == len(attempts()) == 1
    assert len(written) == 2


def test_what_is_claimed_while_the_stop_comes_is_handed_back(make_stage, aside, server):
    """A slow tracker would be asked, and not be heard any more."""
    stage = make_stage(url=f"{server.url}/pb")
    people_start(stage, 6)
    claims: list[int] = []

    def note(_connection, _cursor, statement, *_):
        if "UPDATE postback SET state" in statement and "lease_until" in statement:
            claims.append(1)

    with listening(note):
        assert aside.run(seconds=60, stop=lambda: bool(claims)) == 0
    assert server.requests == []
    rows = stage.postbacks()
    assert {(row.state, row.tries, row.lease) for row in rows} == {(PostbackState.WAITING, 0, None)}
    assert len(rows) == 5


@contextmanager
def listening(listener: Callable[..., None]) -> Iterator[None]:
    """Call `listener` before each statement."""
    event.listen(db.engine, "before_cursor_execute", listener)
    try:
        yield
    finally:
        event.remove(db.engine, "before_cursor_execute", listener)


def eventually(is_true: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether it becomes true in time."""
    end = time.monotonic() + seconds
    while not is_true() and time.monotonic() < end:
        time.sleep(0.005)
    return is_true()


def alter_row(destination: int, **values: Any) -> None:
    row = db.session.get(Destination, destination)
    for name, value in values.items():
        setattr(row, name, value)
    db.session.commit()


def test_what_waits_to_be_read_for_longer_than_its_lease_is_not_sent_again(stage, delivery, clock):
    """A worker that was stopped, or busy with others' answers, claims its own postback anew."""

    class Late(Exchange):
        is_late = True

        def poll(self, seconds):
            if self.is_late:
                self.is_late = False
                clock.now += 46  # the lease is over, as the clock's worker finds out
                postbacks.sweep(db.session.connection(), clock.now)
                db.session.commit()
                return []
            return super().poll(seconds)

    stage.play(people.start(ANN, f"{stage.code}-a", T))
    exchange = Late()
    assert delivery(exchange).run(seconds=1000.0) == 1
    assert len(exchange.sent) == 1
    (postback,) = stage.postbacks()
    assert (postback.state, postback.tries) == (PostbackState.DELIVERED, 1)
    assert len(attempts()) == 1
