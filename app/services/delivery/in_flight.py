"""What a worker holds: attempts queued for a free slot, and requests without an answer."""

import math
from collections import Counter, deque
from collections.abc import Callable, Iterator
from itertools import chain, count
from typing import Final, Protocol

from app.outbound.result import Answer
from app.services.delivery.attempt import DeliveryAttempt
from app.services.delivery.limits.concurrency import ConcurrencyLimiter
from app.services.delivery.limits.hook_time import HookTime
from app.services.delivery.limits.name_lookups import NameLookups
from plugins.contract import Request

HELD_BACK: Final = 0.01  # seconds until the next look while nothing of what is queued may be sent


class Exchange(Protocol):
    """What delivery needs of `outbound.transport.Transport`."""

    on_resolved: Callable[[object, bool], None]
    """Called with the tag of a request that needs its name no more, and whether it connects."""

    def start(self, request: Request, tag: object) -> None:
        """Send; the answer comes from `poll` under `tag`."""

    def advance(self) -> None:
        """Go on with what was started, without waiting."""

    def poll(self, seconds: float) -> list[Answer]:
        """Answers that are ready, waiting at most `seconds` for the first."""

    def rest(self, seconds: float) -> None:
        """Wait so long while nothing is in flight."""

    def abort(self) -> list[object]:
        """Drop what is in flight; returns the tags."""


_Place = tuple[int, str]  # an account and a host


class _Queues:
    """Attempts that wait for a slot, by destination, in the order in which they were queued.

    Destinations whose first attempt is of the same account and goes to the same host stand
    together, so that all of them are passed over by one look while there is no room.
    """

    def __init__(self) -> None:
        self._by_destination: dict[int, deque[DeliveryAttempt]] = {}
        self._places: dict[_Place, dict[int, deque[DeliveryAttempt]]] = {}
        self._count = 0
        self._earliest = math.inf  # none that waits was claimed before that

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[DeliveryAttempt]:
        return chain.from_iterable(self._by_destination.values())

    def of(self, destination: int) -> int:
        """How many attempts of a destination wait."""
        return len(self._by_destination.get(destination, ()))

    def add(self, attempt: DeliveryAttempt) -> None:
        """Put an attempt behind those of its destination."""
        destination = attempt.claimed.destination_id
        queue = self._by_destination.get(destination)
        if queue is None:
            queue = self._by_destination[destination] = deque()
            self._places.setdefault(_place(attempt), {})[destination] = queue
        queue.append(attempt)
        self._count += 1
        self._earliest = min(self._earliest, attempt.started)

    def take(
        self,
        is_open: Callable[[_Place], bool],
        has_room: Callable[[DeliveryAttempt], bool],
    ) -> Iterator[DeliveryAttempt]:
        """Take what `has_room`, of places that are open, in turns over destinations and places."""
        for place, queues in list(self._places.items()):
            if not is_open(place):
                continue
            for destination, queue in list(queues.items()):
                before = len(queue)
                while queue and has_room(queue[0]):
                    self._count -= 1
                    yield queue.popleft()
                if len(queue) < before:
                    self._put_last(place, destination)
                if not is_open(place):
                    break

    def drop(self, started_before: float | None) -> list[DeliveryAttempt]:
        """Empty the queues, or only those whose first attempt was claimed before that time."""
        dropped: list[DeliveryAttempt] = []
        if started_before is not None and started_before <= self._earliest:
            return dropped
        for destination, queue in list(self._by_destination.items()):
            if started_before is None or queue[0].started < started_before:
                self._remove(_place(queue[0]), destination)
                dropped += self._by_destination.pop(destination)
        self._count -= len(dropped)
        self._earliest = min((attempt.started for attempt in self), default=math.inf)
        return dropped

    def _put_last(self, place: _Place, destination: int) -> None:
        """Let a destination and its place be looked at last the next time."""
        self._remove(place, destination)
        if others := self._places.pop(place, None):
            self._places[place] = others
        queue = self._by_destination[destination]
        if queue:  # the next one may go to another host
            self._places.setdefault(_place(queue[0]), {})[destination] = queue
        else:
            del self._by_destination[destination]

    def _remove(self, place: _Place, destination: int) -> None:
        queues = self._places[place]
        del queues[destination]
        if not queues:
            del self._places[place]


def _place(attempt: DeliveryAttempt) -> _Place:
    return attempt.claimed.account_id, attempt.host


class InFlight:
    """The attempts of one worker, by destination while queued and by a tag once sent.

    Each request has a tag of its own: a postback may be sent twice, where its lease ended while
    its answer waited to be read.
    """

    def __init__(self, transport: Exchange, limiter: ConcurrencyLimiter) -> None:
        self._transport = transport
        self._limiter = limiter
        self._queues = _Queues()
        self._sent: dict[int, DeliveryAttempt] = {}
        self._tags = count()
        self._held: set[tuple[int, int]] = set()
        self._unread: dict[int, deque[Answer]] = {}  # by account
        self._lookups = NameLookups()
        #: Whoever calls hooks counts them here.
        self.hook_time = HookTime()
        transport.on_resolved = self._on_resolved

    def __len__(self) -> int:
        return len(self._sent) + len(self._queues)

    @property
    def awaits_answers(self) -> bool:
        """Whether anything was sent that has no answer yet."""
        return bool(self._sent)

    @property
    def is_well_stocked(self) -> bool:
        """Whether more attempts wait for a slot than are sent."""
        return len(self) > 2 * len(self._sent)

    def queued(self, destination: int) -> int:
        """How many attempts wait for a slot of this destination."""
        return self._queues.of(destination)

    def by_account(self) -> Counter[int]:
        """How many attempts of each account are held."""
        held = chain(self._sent.values(), self._queues)
        return Counter(attempt.claimed.account_id for attempt in held)

    def held(self) -> frozenset[tuple[int, int]]:
        """The postbacks that wait here, for their slot or for their answer to be read."""
        return frozenset(self._held)

    def enqueue(self, attempt: DeliveryAttempt) -> None:
        """Let an attempt wait for a slot of its destination, behind those before it."""
        self._queues.add(attempt)
        self._held.add(attempt.claimed.identity)

    def startable(self) -> Iterator[DeliveryAttempt]:
        """Take from the queues what has a free slot. The caller sends each before the next.

        Who got slots comes last the next time: those behind may want the same host's.
        """
        while True:
            self._lookups.refused = False
            for attempt in self._queues.take(self._is_open, self._has_room):
                self._held.discard(attempt.claimed.identity)
                yield attempt
            if not self._lookups_ended():
                return

    def send(self, attempt: DeliveryAttempt) -> None:
        """Send the next request of an attempt; it takes a slot until `answers` returns it."""
        claimed = attempt.claimed
        self._limiter.acquire(claimed.destination_id, attempt.host, claimed.account_id)
        tag = next(self._tags)
        self._sent[tag] = attempt
        self._held.add(claimed.identity)
        self._lookups.begin(tag, attempt.host, claimed.account_id)
        self.hook_time.send(claimed.account_id)
        self._transport.start(attempt.request, tag)

    def answers(self, seconds: float) -> Iterator[tuple[DeliveryAttempt, Answer]]:
        """Answers that are ready with their attempts, waiting at most `seconds` for the first.

        All accounts that have any get the same time to read them. Those that the caller does not
        take come the next time, and keep their slots until then. While nothing is sent it waits
        for little, if anything is held back.
        """
        if len(self) and not self._sent:
            self._transport.rest(min(seconds, HELD_BACK))
        for answer in self._transport.poll(seconds if self._sent and not self._unread else 0.0):
            account = self._sent[answer.tag].claimed.account_id  # type: ignore[index]
            self._unread.setdefault(account, deque()).append(answer)
        while self._unread:
            account = self.hook_time.next_of(self._unread)
            answer = self._unread[account].popleft()
            if not self._unread[account]:
                del self._unread[account]
            attempt = self._sent.pop(answer.tag)  # type: ignore[call-overload]
            self._lookups.end(answer.tag, answer.ms / 1000)  # type: ignore[arg-type]
            self._held.discard(attempt.claimed.identity)
            self._release(attempt)
            yield attempt, answer

    def drop_queued(self, started_before: float | None = None) -> list[DeliveryAttempt]:
        """Empty the queues, or only those whose first attempt was claimed before that time."""
        dropped = self._queues.drop(started_before)
        self._held.difference_update(attempt.claimed.identity for attempt in dropped)
        return dropped

    def abort(self) -> list[DeliveryAttempt]:
        """Stop waiting for answers; returns the attempts that had none."""
        self._transport.abort()
        self._unread.clear()
        self._lookups.clear()
        aborted = list(self._sent.values())
        self._sent.clear()
        for attempt in aborted:
            self._held.discard(attempt.claimed.identity)
            self._release(attempt)
        return aborted

    def _release(self, attempt: DeliveryAttempt) -> None:
        claimed = attempt.claimed
        self._limiter.release(claimed.destination_id, attempt.host, claimed.account_id)
        self.hook_time.receive(claimed.account_id)

    def _is_open(self, place: _Place) -> bool:
        """Whether any destination of an account's may have room at a host."""
        account, host = place
        return (
            self._limiter.is_open(host, account)
            and self._lookups.has_room(host, account)
            and self.hook_time.has_room(account)
        )

    def _lookups_ended(self) -> bool:
        """Go on with what was sent, if names were in the way of more. True if some are not now.

        A request that goes over an open connection needs no name, which shows as soon as the
        transport takes it up.
        """
        if not self._lookups.refused:
            return False
        running = self._lookups.running
        self._transport.advance()
        return self._lookups.running < running

    def _has_room(self, attempt: DeliveryAttempt) -> bool:
        claimed = attempt.claimed
        return (
            self._limiter.has_room(claimed.destination_id, attempt.host, claimed.account_id)
            and self._lookups.has_room(attempt.host, claimed.account_id)
            and self.hook_time.has_room(claimed.account_id)
        )

    def _on_resolved(self, tag: object, is_new: bool) -> None:
        self._lookups.found(tag, is_new=is_new)  # type: ignore[arg-type]
