"""Plans: what they allow, how long they last, when one may be bought. Pure.

Codes, names, limits and prices are those of AlterCPA TOP. A plan that is paid
for lasts `PERIOD`. When it ends the dashboard stops at once; the API, tracking
and reporting go on for `GRACE`, then stop too until a plan is bought.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.domain.time_ranges import DAY

PERIOD: Final = 30 * DAY
GRACE: Final = 7 * DAY
RENEWABLE: Final = 3 * DAY  #: a paid plan may be renewed or changed this long before its end
UNLIMITED: Final = -1
FREE: Final = "kitten"


@dataclass(frozen=True, slots=True)
class Plan:
    """A tariff. `campaigns` is how many living ones it allows; prices are whole units a period."""

    code: str
    name: str
    campaigns: int
    price_usd: int
    price_rub: int

    @property
    def is_free(self) -> bool:
        """Whether it costs nothing, and so never ends."""
        return not self.price_usd


PLANS: Final[Mapping[str, Plan]] = {
    plan.code: plan
    for plan in (
        Plan("kitten", "Kitten", 1, 0, 0),
        Plan("cat", "Kitty", 15, 24, 2400),
        Plan("tiger", "Tiger", UNLIMITED, 88, 8800),
    )
}


class PlanStatus(enum.Enum):
    """How an account stands with its plan."""

    FREE = "free"
    PAID = "paid"
    GRACE = "grace"
    LAPSED = "lapsed"


def plan_status(tariff: str, paid_until: int | None, now: float) -> PlanStatus:
    """Judge a plan at `now`. A paid one without an end was given by the operator for good."""
    if tariff == FREE:
        return PlanStatus.FREE
    if paid_until is None or now <= paid_until:
        return PlanStatus.PAID
    return PlanStatus.GRACE if now <= paid_until + GRACE else PlanStatus.LAPSED


def may_choose(tariff: str, paid_until: int | None, now: float) -> bool:
    """Whether a plan may be bought or changed now: not while a paid one has long to go."""
    if plan_status(tariff, paid_until, now) is not PlanStatus.PAID:
        return True
    return paid_until is not None and paid_until - now <= RENEWABLE


def paid_until(tariff: str, until: int | None, now: int, bought: str) -> int:
    """The new end after a payment for the plan `bought` at `now`, of an account on `tariff`.

    `until` is the end so far. Days that are left stay as `converted` says; days without a plan
    are not charged.
    """
    left = 0 if tariff == FREE or until is None else max(0, until - now)
    return now + PERIOD + converted(left, tariff, bought)


def converted(seconds: int, old: str, new: str) -> int:
    """What is left of the plan `old` under the plan `new`.

    As much as a plan may have to go when another is bought stays as it is. What is beyond was
    paid for in other ways, and keeps its worth: else the days of a cheap plan, bought for years,
    would become days of a dear one.
    """
    beyond = seconds - RENEWABLE
    prices = PLANS[old].price_usd, PLANS[new].price_usd
    if beyond <= 0 or old == new or not all(prices):
        return seconds
    return RENEWABLE + beyond * prices[0] // prices[1]


def free_slots(tariff: str, living: int) -> int:
    """How many more campaigns a plan allows; UNLIMITED stays so."""
    allowed = PLANS[tariff].campaigns
    return UNLIMITED if allowed == UNLIMITED else max(0, allowed - living)
