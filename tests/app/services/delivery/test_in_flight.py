"""Attempts queued for a slot, and requests without an answer."""

from dataclasses import replace

import pytest

from app.services.delivery.in_flight import InFlight
from app.services.delivery.limits.concurrency import PER_DESTINATION, PER_HOST, ConcurrencyLimiter
from app.services.delivery.limits.name_lookups import FOR_NEWCOMERS, IN_ALL
from tests.support.delivery import Exchange, make_attempt


@pytest.fixture
def exchange() -> Exchange:
    return Exchange()


@pytest.fixture
def in_flight(exchange) -> InFlight:
    return InFlight(exchange, ConcurrencyLimiter())


def send_startable(in_flight: InFlight) -> list[int]:
    sent = []
    for attempt in in_flight.startable():
        in_flight.send(attempt)
        sent.append(attempt.claimed.id)
    return sent


def test_what_is_queued_and_what_is_sent_counts_together(in_flight):
    assert not in_flight
    for number in range(3):
        in_flight.enqueue(make_attempt(number))
    (first, *_) = in_flight.startable()
    in_flight.enqueue(first)
    in_flight.send(make_attempt(9))
    assert len(in_flight) == 2


def test_a_queue_is_sent_in_order_as_far_as_there_are_slots(in_flight, exchange):
    for number in range(PER_DESTINATION + 2):
        in_flight.enqueue(make_attempt(number))
    assert send_startable(in_flight) == list(range(PER_DESTINATION))
    assert in_flight.queued(1) == 2
    assert len(exchange.sent) == PER_DESTINATION
    assert send_startable(in_flight) == []


def test_destinations_take_turns_at_the_slots_of_their_host(in_flight):
    for number in range(3 * PER_HOST):
        in_flight.enqueue(make_attempt(number, destination=number % 9))
    first = {number % 9 for number in send_startable(in_flight)}
    assert len(first) < 9
    later = set()
    for _ in range(2):
        assert list(in_flight.answers(0.0))
        later |= {number % 9 for number in send_startable(in_flight)}
    assert set(range(9)) - first <= later


def test_it_is_well_stocked_while_more_is_queued_than_sent(in_flight):
    assert not in_flight.is_well_stocked
    for number in range(3 * PER_DESTINATION):
        in_flight.enqueue(make_attempt(number))
    send_startable(in_flight)
    assert in_flight.is_well_stocked
    list(in_flight.answers(0.0))
    send_startable(in_flight)
    assert not in_flight.is_well_stocked


def test_an_answer_comes_with_its_attempt_and_frees_the_slot(in_flight):
    for number in range(PER_DESTINATION + 1):
        in_flight.enqueue(make_attempt(number))
    send_startable(in_flight)
    answered = [(attempt.claimed.id, answer.tag) for attempt, answer in in_flight.answers(0.0)]
    assert answered == [(number, number) for number in range(PER_DESTINATION)]
    assert send_startable(in_flight) == [PER_DESTINATION]


def test_nothing_sent_is_not_waited_for(in_flight, exchange):
    waits = []
    exchange.poll = lambda seconds: waits.append(seconds) or []
    assert list(in_flight.answers(5.0)) == []
    in_flight.send(make_attempt(1))
    assert list(in_flight.answers(5.0)) == []
    assert waits == [0.0, 5.0]


def test_queues_whose_first_attempt_waited_too_long_are_dropped_whole(in_flight):
    in_flight.enqueue(make_attempt(1, destination=1, started=10.0))
    in_flight.enqueue(make_attempt(2, destination=1, started=30.0))
    in_flight.enqueue(make_attempt(3, destination=2, started=30.0))
    dropped = in_flight.drop_queued(started_before=20.0)
    assert [attempt.claimed.id for attempt in dropped] == [1, 2]
    assert (in_flight.queued(1), in_flight.queued(2)) == (0, 1)
    assert [attempt.claimed.id for attempt in in_flight.drop_queued()] == [3]
    assert not in_flight


def test_what_has_waited_longest_is_dropped_also_after_others_and_counted(in_flight):
    """It is looked for only when something may have waited so long."""
    in_flight.enqueue(make_attempt(1, destination=1, started=30.0))
    in_flight.enqueue(make_attempt(2, destination=2, started=10.0))
    assert in_flight.drop_queued(started_before=10.0) == []
    assert [attempt.claimed.id for attempt in in_flight.drop_queued(started_before=11.0)] == [2]
    assert len(in_flight) == 1
    in_flight.enqueue(make_attempt(3, destination=2, started=20.0))
    assert [attempt.claimed.id for attempt in in_flight.drop_queued(started_before=25.0)] == [3]
    assert send_startable(in_flight) == [1]
    assert len(in_flight) == 1, "it is sent now"
    assert in_flight.drop_queued(started_before=99.0) == []


def test_an_abort_names_what_had_no_answer(in_flight):
    in_flight.send(make_attempt(1))
    in_flight.enqueue(make_attempt(2))
    assert [attempt.claimed.id for attempt in in_flight.abort()] == [1]
    assert len(in_flight) == 1


def test_an_abort_frees_the_slots_of_what_had_no_answer(in_flight):
    for number in range(2 * PER_DESTINATION):
        in_flight.enqueue(make_attempt(number))
    assert len(send_startable(in_flight)) == PER_DESTINATION
    in_flight.abort()
    assert len(send_startable(in_flight)) == PER_DESTINATION


def test_hosts_are_told_apart_by_scheme_name_and_port():
    attempt = make_attempt(1, url="https://t.example:8443/pb?x=/y")
    assert attempt.host == "https://t.example:8443"


def test_over_open_connections_more_is_sent_than_names_may_be_looked_up(in_flight, exchange):
    """That no name is needed shows when the transport takes a request up, not when it is given."""
    noted, started = exchange.on_resolved, []
    exchange.on_resolved = lambda tag, _is_new: started.append(tag)

    def advance() -> None:
        while started:
            noted(started.pop(), False)

    exchange.advance = advance
    for number in range(PER_DESTINATION):
        in_flight.enqueue(make_attempt(number))
    assert len(send_startable(in_flight)) == PER_DESTINATION > IN_ALL - FOR_NEWCOMERS


def test_a_place_without_room_costs_one_look_however_many_destinations_wait_for_it(exchange):
    class Counting(ConcurrencyLimiter):
        looks = 0

        def has_room(self, destination: int, host: str, account: int) -> bool:
            self.looks += 1
            return super().has_room(destination, host, account)

    limiter = Counting()
    in_flight = InFlight(exchange, limiter)
    for number in range(10 * PER_HOST):
        in_flight.enqueue(make_attempt(number, destination=number))
    sent = len(send_startable(in_flight))
    assert 0 < sent < PER_HOST
    limiter.looks = 0
    assert send_startable(in_flight) == []
    assert limiter.looks == 0


def test_a_destination_whose_next_request_goes_to_another_host_waits_for_room_there(in_flight):
    for number in range(2 * PER_HOST):
        in_flight.enqueue(make_attempt(number, destination=1 + number % 9))
    send_startable(in_flight)
    hosts = ("free", "t", "free")
    for number, host in enumerate(hosts, start=900):
        in_flight.enqueue(make_attempt(number, destination=99, url=f"https://{host}.example/pb"))
    assert send_startable(in_flight) == [900]
    sent = []
    while in_flight:
        assert list(in_flight.answers(0.0))
        sent += send_startable(in_flight)
    assert [number for number in sent if number >= 900] == [901, 902]


def test_an_account_whose_names_hang_waits_and_another_is_sent(in_flight, exchange):
    """Twenty names that are never found; the threads that look names up are as many."""
    exchange.on_resolved = lambda _tag, _is_new: None
    in_flight._transport.start = lambda request, _tag: exchange.sent.append(request)
    for number in range(IN_ALL):
        attempt = make_attempt(number, destination=number, url=f"https://hang{number}.example/")
        in_flight.enqueue(attempt)
    assert len(send_startable(in_flight)) == (IN_ALL - FOR_NEWCOMERS) // 2
    quiet = make_attempt(900, destination=900, url="https://quiet.example/")
    quiet.claimed = replace(quiet.claimed, account_id=quiet.claimed.account_id + 1)
    in_flight.enqueue(quiet)
    assert send_startable(in_flight) == [900]


def test_an_account_whose_hooks_took_long_waits_and_another_is_sent(in_flight):
    hostile = make_attempt(1)
    quiet = make_attempt(2, destination=2)
    quiet.claimed = replace(quiet.claimed, account_id=hostile.claimed.account_id + 1)
    in_flight.hook_time._add(hostile.claimed.account_id, 10.0)
    in_flight.enqueue(hostile)
    in_flight.enqueue(quiet)
    assert send_startable(in_flight) == [2]


def test_of_a_postback_that_is_sent_twice_each_answer_finds_its_attempt(in_flight):
    for _ in range(2):
        in_flight.send(make_attempt(1))
    assert [attempt.claimed.id for attempt, _ in in_flight.answers(0.0)] == [1, 1]
    assert not in_flight
    for number in range(PER_DESTINATION):
        in_flight.enqueue(make_attempt(number))
    assert len(send_startable(in_flight)) == PER_DESTINATION, "both slots came back"


def test_it_knows_what_it_holds(in_flight):
    attempt = make_attempt(1)
    in_flight.enqueue(attempt)
    assert in_flight.held() == {(1, 0)}  # the same one sent anew would be (1, 1)
    assert send_startable(in_flight) == [1]
    assert in_flight.held() == {(1, 0)}
    assert len(list(in_flight.answers(0.0))) == 1
    assert not in_flight.held()
    in_flight.enqueue(attempt)
    in_flight.drop_queued()
    in_flight.send(make_attempt(2))
    in_flight.abort()
    assert not in_flight.held()
