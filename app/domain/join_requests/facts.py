"""Facts: what is known of a person who asks to be let in, at the moment of the decision. Pure."""

import enum
from dataclasses import dataclass

from app.domain.attribution import How


class Came(enum.IntEnum):
    """By what a person came, as far as it is known. Stored, so the numbers stay."""

    UNKNOWN = 0
    SOURCE = 1  #: a source is known, but no click of it
    CLICK = 2

    @property
    def word(self) -> str:
        """The word for it in conditions and in answers of the API."""
        return self.name.lower()


def came(how: How, click: str, source: int | None) -> Came:
    """How a person came, by what is known of their lead."""
    if how.knows_click and click:
        return Came.CLICK
    return Came.UNKNOWN if source is None else Came.SOURCE


@dataclass(frozen=True, slots=True)
class Facts:
    """One request. `minute` is that of the account's day, `weekday` is 1 on Mondays.

    `declined_days` is how many days ago the person was declined last, None for never.
    """

    subscriber: int
    campaign: int
    came: Came = Came.UNKNOWN
    source: int | None = None
    link_name: str = ""
    premium: bool = False
    language: str = ""
    username: str = ""
    name: str = ""
    bio: str = ""
    is_blocked: bool = False
    declined_days: float | None = None
    was_member: bool = False
    minute: int = 0
    weekday: int = 1
