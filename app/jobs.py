"""What RQ runs. A job is a reminder: each drains its queue until nothing is due.

The names are a wire format: a job queued by an old version must still be
found. Every function here calls one service.
"""

import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import structlog
from flask import current_app

from app.config import current_settings
from app.database.faults import DATABASE_FAULTS, OUTAGES, describe_fault, outage_of
from app.extensions import db, wakeup
from app.health_watch import HealthWatch
from app.outbound.transport import Transport
from app.queues import Queue
from app.schemas.exported_lists import LISTS
from app.services import maintenance, messages
from app.services.clicks.invites import keeper
from app.services.delivery import loop
from app.services.delivery.commits import CommitsAside, CommitsInLine
from app.services.delivery.targets import DestinationResolver
from app.services.exports import writer
from app.services.join_requests.telling import sender
from app.services.leads.send_at_once import process_and_send

log = structlog.get_logger()

#: Set when this process was asked to end. Drains stop taking work.
stopping = threading.Event()

DRAIN_SECONDS: Final = 10.0  # then the drain returns, so that RQ can do its housekeeping
#: While answers are awaited a drain goes on: one that returns claims nothing until the slowest
#: tracker has answered. Less than RQ's 420 s, after which it takes a job for abandoned.
LASTING_SECONDS: Final = 300.0
LINGER_SECONDS: Final = 1.0  # how long an idle drain waits for a notification
AGAIN_SECONDS: Final = 1.0  # until one tries again that failed with answers in hand
#: For which one that is told to stop tries so. With the pause before, and the 4 s for which it may
#: then await answers, less than the supervisor's 9 s.
LAST_SECONDS: Final = 3.0

_database: Final = HealthWatch("database")
_network: Final = HealthWatch("network")

#: For how many seconds, for how many while answers are awaited, and what to call meanwhile.
Work = Callable[[float, float, Callable[[], None]], int]


def process_updates() -> None:
    """Apply the waiting updates to leads, and send at once what little they bring."""
    _drain(Queue.UPDATES, _update_work)


def deliver_postbacks() -> None:
    """Send the postbacks that are due."""
    _drain(Queue.POSTBACKS, _postback_work)


def send_messages() -> None:
    """Send the Telegram messages that are due."""
    _drain(Queue.MESSAGES, _message_work)


def sweep() -> None:
    """One tick of the clock: maintenance, and a notification for each queue with due work.

    While Redis is away no worker can be notified, so the clock does the work
    itself, more slowly. What a fault has left under way of that it ends.
    """
    with current_app.app_context():
        for queue in maintenance.tick(time.time()):
            if not wakeup.notify(queue, force=True):
                WORK[queue](1.0, 1.0, lambda: None)
        for delivery in _deliveries.values():
            if delivery.is_under_way:
                delivery.finish(stopping.is_set, lambda: None)


def look_after_bots() -> None:
    """Ask Telegram how the bots that are due stand, and correct their webhooks."""
    with current_app.app_context():
        maintenance.look_after_bots(time.time())


def end_stalled() -> None:
    """End the transactions of frozen processes for which all others wait."""
    with current_app.app_context():
        maintenance.end_stalled()


def keep_invites() -> None:
    """Make invite links that are missing, and revoke those that are used."""
    with current_app.app_context():
        keeper.keep(time.time())


def tell_decisions() -> bool:
    """Tell Telegram what the desks have decided of requests to join.

    Returns whether to go on, also if the clock finds nothing.
    """
    with current_app.app_context():
        return _teller().work(time.time())


def write_exports() -> None:
    """Write some of the files that were asked for."""
    with current_app.app_context():
        writer.work(LISTS)


#: What is set where there may be work for those beside the clock, by their tasks.
HAS_WORK: Final[dict[Callable[[], Any], threading.Event]] = {
    keep_invites: keeper.has_work,
    tell_decisions: sender.has_work,
    write_exports: writer.has_work,
}


@cache
def _teller() -> sender.Teller:
    """What tells decisions in this process, for one thread."""
    return sender.Teller()


def _drain(queue: Queue, work: Work) -> None:
    end, failing_since, stopped_at = time.monotonic() + DRAIN_SECONDS, 0.0, 0.0
    has_answers = False
    with current_app.app_context():
        while time.monotonic() < end and (has_answers or not stopping.is_set()):
            wakeup.mark_busy(queue)
            has_answers = False
            if _attempted(work, end - time.monotonic(), lambda: wakeup.mark_busy(queue)):
                if not wakeup.wait(queue, LINGER_SECONDS) and not wakeup.mark_idle(queue):
                    return
            elif has_answers := _has_answers(queue):
                # Nobody else knows them: another worker would send the same again.
                time.sleep(AGAIN_SECONDS)  # not by `stopping`, which a signal sets in this thread
                now = time.monotonic()
                failing_since = failing_since or now
                if stopping.is_set():
                    stopped_at = stopped_at or now
                    end = stopped_at + LAST_SECONDS
                else:
                    end = max(end, min(now + AGAIN_SECONDS, failing_since + LASTING_SECONDS))
            else:
                wakeup.mark_idle(queue)
                return  # the clock asks again in a second
        wakeup.mark_idle(queue)
        wakeup.notify(queue)


def _attempted(work: Work, seconds: float, pulse: Callable[[], None]) -> bool:
    """Work, and return False if the database or a network fails: the rows wait for it."""
    try:
        work(seconds, LASTING_SECONDS, pulse)
    except OUTAGES as error:
        if outage_of(error) is None:
            raise
        watch = _database if isinstance(error, DATABASE_FAULTS) else _network
        watch.update(well=False, error=describe_fault(error))
        return False
    finally:
        db.session.remove()
    _database.update(well=True)
    _network.update(well=True)
    return True


def _update_work(seconds: float, lasting: float, pulse: Callable[[], None]) -> int:
    return process_and_send(
        _delivery(Queue.UPDATES),
        seconds=seconds,
        lasting=lasting,
        woken=lambda seconds: wakeup.wait(Queue.UPDATES, seconds),
        stop=stopping.is_set,
        pulse=pulse,
    )


def _postback_work(seconds: float, lasting: float, pulse: Callable[[], None]) -> int:
    delivery = _delivery(Queue.POSTBACKS)
    return delivery.run(seconds=seconds, lasting=lasting, stop=stopping.is_set, pulse=pulse)


def _message_work(seconds: float, _lasting: float, _pulse: Callable[[], None]) -> int:
    return messages.send(seconds=seconds, stop=stopping.is_set)


WORK: Final[dict[Queue, Work]] = {
    Queue.UPDATES: _update_work,
    Queue.POSTBACKS: _postback_work,
    Queue.MESSAGES: _message_work,
}


#: What sends in this process, by queue.
_deliveries: Final[dict[Queue, loop.Delivery]] = {}


def _has_answers(queue: Queue) -> bool:
    """Whether this process has answers to settle, or awaits some."""
    return queue in _deliveries and _deliveries[queue].is_under_way


def _delivery(queue: Queue) -> loop.Delivery:
    if queue not in _deliveries:
        _deliveries[queue] = _new_delivery(queue)
    return _deliveries[queue]


def _new_delivery(queue: Queue) -> loop.Delivery:
    """For `postbacks` it goes on while its transactions are committed.

    What processes updates settles along with them, and has one transaction at a time.
    """
    settings = current_settings()
    transport = Transport(allow=settings.outbound_allow)
    is_sender = queue is Queue.POSTBACKS
    return loop.Delivery(
        transport,
        DestinationResolver(current_app.extensions["trackers"]),
        lease_seconds=settings.lease_seconds,
        commits=CommitsAside(db.engine, transport.interrupt) if is_sender else CommitsInLine(),
    )
