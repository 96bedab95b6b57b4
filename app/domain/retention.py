"""Retention: of those who joined on a day, how many were still there n days later.

A stay is counted from its own join: a person who left within the first 24
hours did not survive D0, one who left within the first 48 hours not D1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.domain.time_ranges import DAY

MILESTONES: Final = (0, 1, 3, 7, 14, 30)
OLDEST_AGE: Final = MILESTONES[-1] + 1  #: this age and everything beyond


@dataclass(frozen=True, slots=True)
class Cohort:
    """Those who joined on one UTC day (days since 1970), and at which age they left."""

    day: int
    joined: int
    left: Mapping[int, int]

    def staying(self, milestone: int, now: int) -> int | None:
        """How many survived D`milestone` by `now`; None until all of them could have."""
        if (self.day + 1 + milestone + 1) * DAY > now:
            return None
        gone = sum(count for age, count in self.left.items() if age <= milestone)
        return max(self.joined - gone, 0)


def survival(cohorts: list[Cohort], milestone: int, now: int) -> float | None:
    """Percent of the joined that survived D`milestone`, of cohorts where it is known; else None."""
    complete = [
        (cohort.joined, staying)
        for cohort in cohorts
        if (staying := cohort.staying(milestone, now)) is not None
    ]
    return percent(sum(staying for _, staying in complete), sum(joined for joined, _ in complete))


def percent(part: int, whole: int) -> float | None:
    """`part` of `whole` in percent with two decimals; None if `whole` is 0."""
    return round(100 * part / whole, 2) if whole else None
