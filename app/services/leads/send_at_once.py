"""Sending at once: while little comes in, the process that decides also sends.

A postback then costs no wake-up, no claim and no transaction of its own: it is inserted under
the lease of this process, goes out after the commit, and its outcome is written along with the
next updates. What does not fit waits for the workers of the queue `postbacks`.
"""

import time
from collections.abc import Callable
from typing import Final

from app.services.delivery.loop import Delivery
from app.services.delivery.outcomes import SETTLE_AFTER
from app.services.leads.process import process_updates
from plugins.host.time_limit import shared_timer

LOOK_SECONDS: Final = 0.005  # for answers, until the next look for new updates
MORE_SECONDS: Final = 0.1  # of updates at a time, while the last answers are awaited


def process_and_send(
    delivery: Delivery,
    *,
    seconds: float,
    lasting: float = 0.0,
    woken: Callable[[float], bool],
    stop: Callable[[], bool] = lambda: False,
    pulse: Callable[[], None] = lambda: None,
    clock: Callable[[], float] = time.time,
) -> int:
    """Process updates and send what they bring until nothing of either is left.

    While answers are awaited it goes on after `seconds`, for up to `lasting`. Then, and when
    `stop()` is true, nothing more is taken up to be sent; answers are awaited as `Delivery.run`
    does. `woken` waits so many seconds for a notification of new updates, with 0 it only looks.
    `pulse` is called on each turn. Returns how many updates were finished. Raises what
    `process_updates` raises.
    """
    began, count, has_news = clock(), 0, True
    end, last = began + seconds, began + max(seconds, lasting)

    def turn() -> None:
        pulse()
        delivery.turn(0.0)

    with shared_timer():
        while not stop():
            if has_news:
                now = clock()
                count += process_updates(
                    seconds=max(end - now, MORE_SECONDS), stop=stop, pulse=turn, clock=clock,
                    delivery=delivery if now < last else None,
                )  # fmt: skip
            if not (delivery.awaits_answers or delivery.has_outcomes):
                return count
            pulse()
            has_news = _look_for_news(delivery, woken)
        delivery.finish(stop, pulse)
    return count


def _look_for_news(delivery: Delivery, woken: Callable[[float], bool]) -> bool:
    """Read answers, or wait for updates to settle along with. True if updates have come."""
    if delivery.awaits_answers:
        delivery.turn(LOOK_SECONDS)
        return woken(0.0)
    has_news = woken(SETTLE_AFTER)
    if not has_news:
        delivery.settle()
    return has_news
