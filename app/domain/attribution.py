"""Attribution: which evidence decides where a person came from. Pure.

A touch is one piece of evidence: a start that brings a click, or a join or a
request by an invite link of ours. Nothing is ever matched by time, address or
fingerprint: whoever brings no evidence is organic. The ladder:

1. The newest touch decides; in one second the one of the lower number.
2. So a join by a link is decided by that link, also after a start with another click.
3. A touch that knows no click takes none away from a touch that does, unless
   that one is older than the look-back.
4. A click that is older than the look-back is no evidence.
"""

import enum
from dataclasses import dataclass
from typing import Final, NamedTuple

from app.domain.telegram.evidence import Arrival

#: Seconds for which a click counts, where no source says otherwise.
DEFAULT_LOOKBACK: Final = 2_592_000


class How(enum.IntEnum):
    """By what a person came, the surest first. Stored, so the numbers stay."""

    ORGANIC = 0  #: no evidence
    START = 1  #: a start of the bot with a click
    LINK = 2  #: an invite link made for one click, and its first person
    REQUEST = 3  #: a request by a link made for one click, and its first person
    FORWARDED = 4  #: a link made for one click, and not its first person
    NAMED = 5  #: the link that all clicks of a source share
    OTHER = 6  #: a folder, another administrator's link, or a request without a link

    @property
    def label(self) -> str:
        """The word for it in answers of the API; empty for ORGANIC."""
        return self.name.lower() if self else ""

    @property
    def knows_click(self) -> bool:
        """Whether the evidence names one click, not only a source."""
        return How.START <= self <= How.REQUEST

    @property
    def known(self) -> str:
        """What the evidence tells: the click, the source, or nothing."""
        if self.knows_click:
            return "click"
        return "source" if self in (How.FORWARDED, How.NAMED) else ""


class JoinKind(enum.IntEnum):
    """How a join is counted: by its method, or why its click is not known. Stored."""

    ORGANIC = 0  #: nothing tells of a link
    START = 1
    LINK = 2
    REQUEST = 3
    FORWARDED = 4
    NAMED = 5
    OTHER_LINK = 6  #: a link that we have not made
    FOLDER = 7
    BARE_REQUEST = 8  #: a request without a link
    PUBLIC = 9  #: nothing tells of a link, and of a public chat Telegram never tells
    FALLBACK = 10  #: the named link of a source that could get no other

    @property
    def knows_click(self) -> bool:
        """Whether the click of the join is known."""
        return JoinKind.START <= self <= JoinKind.REQUEST


@dataclass(frozen=True, slots=True)
class Touch:
    """One piece of evidence, of the moment `at` (Unix seconds).

    `click` is what trackers know the click by, "" if no click is known. `click_id`
    is the stored click, of the source `source_id`. `lookback` is in seconds.
    """

    how: How
    at: int
    click: str = ""
    source_id: int | None = None
    click_id: int | None = None
    lookback: int = DEFAULT_LOOKBACK


class Origin(NamedTuple):
    """Where the person of a report came from: all that its postbacks store of a touch.

    `click_id` is the stored click, of the source `source_id`; its rest is read when it is sent.
    """

    how: How = How.ORGANIC
    source_id: int | None = None
    click_id: int | None = None


NO_ORIGIN: Final = Origin()
NO_TOUCH: Final = Touch(How.ORGANIC, 0)


def is_in_time(clicked: int, at: int, lookback: int) -> bool:
    """Whether a click of the moment `clicked` is evidence at the moment `at` (rule 4)."""
    return at - clicked <= lookback


def deciding(earlier: Touch, new: Touch) -> Touch:
    """Return which of two touches decides, by rules 1 and 3. `new` came in later."""
    if not _is_evidence(new):
        return earlier
    if not _is_evidence(earlier):
        return new
    in_order = _rank(earlier) <= _rank(new)
    older, newer = (earlier, new) if in_order else (new, earlier)
    is_recent = is_in_time(older.at, newer.at, new.lookback)
    return older if older.click and not newer.click and is_recent else newer


def _is_evidence(touch: Touch) -> bool:
    """A click without a method was known before methods were recorded."""
    return touch.how not in {How.ORGANIC, How.OTHER} or bool(touch.click)


def _rank(touch: Touch) -> tuple[int, int]:
    return touch.at, -touch.how


_BY_ARRIVAL: Final = {
    Arrival.LINK: JoinKind.OTHER_LINK,
    Arrival.OTHER_LINK: JoinKind.OTHER_LINK,
    Arrival.FOLDER: JoinKind.FOLDER,
    Arrival.REQUEST: JoinKind.BARE_REQUEST,
}


def kind_of_join(how: How, arrival: Arrival, *, is_public: bool, is_fallback: bool) -> JoinKind:
    """How a join is counted. `how` is the lead's method, ORGANIC without a lead.

    `is_public`: the chat has a username. `is_fallback`: it came by a named link whose
    source is set to another kind.
    """
    if how is How.NAMED and is_fallback:
        return JoinKind.FALLBACK
    if how not in {How.ORGANIC, How.OTHER}:
        return JoinKind(how)
    return _BY_ARRIVAL.get(arrival, JoinKind.PUBLIC if is_public else JoinKind.ORGANIC)
