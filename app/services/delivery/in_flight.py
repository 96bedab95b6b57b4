"""What a worker holds: attempts queued for a free slot, and requests without an answer."""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Protocol

from app.outbound.result import Answer
from app.services.delivery.attempt import DeliveryAttempt
from app.services.delivery.concurrency import ConcurrencyLimiter
from app.services.delivery.hook_time import HookTime
from app.services.delivery.name_lookups import NameLookups
from plugins.contract import Request


class Exchange(Protocol):
    """What delivery needs of `outbound.transport.Transport`."""

    on_resolved: Callable[[object, bool], None]
    """Called with the tag of a request that needs its name no more, and whether it connects."""

    def start(self, request: Request, tag: object) -> None:
        """Send; the answer comes from `poll` under `tag`."""

    def poll(self, seconds: float) -> list[Answer]:
        """Answers that are ready, waiting at most `seconds` for the first."""

    def abort(self) -> list[object]:
        """Drop what is in flight; returns the tags."""


class InFlight:
    """The attempts of one worker, by destination while queued and by postback once sent."""

    def __init__(self, transport: Exchange, limiter: ConcurrencyLimiter) -> None:
        self._transport = transport
        self._limiter = limiter
        self._queues: dict[int, deque[DeliveryAttempt]] = {}
        self._sent: dict[int, DeliveryAttempt] = {}
        self._unread: dict[int, deque[Answer]] = {}  # by account, whose turn is next first
        self._lookups = NameLookups()
        #: Whoever calls hooks counts them here.
        self.hook_time = HookTime()
        transport.on_resolved = self._on_resolved

    def __len__(self) -> int:
        return len(self._sent) + sum(map(len, self._queues.values()))

    @property
    def is_well_stocked(self) -> bool:
        """Whether more attempts wait for a slot than are sent."""
        return len(self) > 2 * len(self._sent)

    def queued(self, destination: int) -> int:
        """How many attempts wait for a slot of this destination."""
        return len(self._queues.get(destination, ()))

    def by_account(self) -> Counter[int]:
        """How many attempts of each account are held."""
        held = chain(self._sent.values(), *self._queues.values())
        return Counter(attempt.claimed.account_id for attempt in held)

    def enqueue(self, attempt: DeliveryAttempt) -> None:
        """Let an attempt wait for a slot of its destination, behind those before it."""
        self._queues.setdefault(attempt.claimed.destination_id, deque()).append(attempt)

    def startable(self) -> Iterator[DeliveryAttempt]:
        """Take from the queues what has a free slot. The caller sends each before the next.

        Who got slots comes last the next time: those behind may want the same host's.
        """
        for destination, queue in list(self._queues.items()):
            before = len(queue)
            while queue and self._has_room(queue[0]):
                yield queue.popleft()
            if len(queue) < before:
                del self._queues[destination]
                if queue:
                    self._queues[destination] = queue

    def send(self, attempt: DeliveryAttempt) -> None:
        """Send the next request of an attempt; it takes a slot until `answers` returns it."""
        claimed = attempt.claimed
        self._limiter.acquire(claimed.destination_id, attempt.host, claimed.account_id)
        self._sent[attempt.claimed.id] = attempt
        self._lookups.begin(claimed.id, attempt.host, claimed.account_id)
        self.hook_time.send(claimed.account_id)
        self._transport.start(attempt.request, attempt.claimed.id)

    def answers(self, seconds: float) -> Iterator[tuple[DeliveryAttempt, Answer]]:
        """Answers that are ready with their attempts, waiting at most `seconds` for the first.

        Of each account in turn. Those that the caller does not take come the next time, and keep
        their slots until then. Does not wait while nothing is sent.
        """
        for answer in self._transport.poll(seconds if self._sent and not self._unread else 0.0):
            account = self._sent[answer.tag].claimed.account_id  # type: ignore[index]
            self._unread.setdefault(account, deque()).append(answer)
        while self._unread:
            account = next(iter(self._unread))
            answers = self._unread.pop(account)
            answer = answers.popleft()
            if answers:
                self._unread[account] = answers
            attempt = self._sent.pop(answer.tag)  # type: ignore[call-overload]
            self._lookups.end(attempt.claimed.id, answer.ms / 1000)
            self._release(attempt)
            yield attempt, answer

    def drop_queued(self, started_before: float | None = None) -> list[DeliveryAttempt]:
        """Empty the queues, or only those whose first attempt was claimed before that time."""
        dropped: list[DeliveryAttempt] = []
        for destination, queue in list(self._queues.items()):
            if started_before is None or queue[0].started < started_before:
                dropped += self._queues.pop(destination)
        return dropped

    def abort(self) -> list[DeliveryAttempt]:
        """Stop waiting for answers; returns the attempts that had none."""
        self._transport.abort()
        self._unread.clear()
        self._lookups.clear()
        aborted = list(self._sent.values())
        self._sent.clear()
        for attempt in aborted:
            self._release(attempt)
        return aborted

    def _release(self, attempt: DeliveryAttempt) -> None:
        claimed = attempt.claimed
        self._limiter.release(claimed.destination_id, attempt.host, claimed.account_id)
        self.hook_time.receive(claimed.account_id)

    def _has_room(self, attempt: DeliveryAttempt) -> bool:
        claimed = attempt.claimed
        return (
            self._limiter.has_room(claimed.destination_id, attempt.host, claimed.account_id)
            and self._lookups.has_room(attempt.host, claimed.account_id)
            and self.hook_time.has_room(claimed.account_id)
        )

    def _on_resolved(self, tag: object, is_new: bool) -> None:
        self._lookups.found(tag, is_new=is_new)  # type: ignore[arg-type]
