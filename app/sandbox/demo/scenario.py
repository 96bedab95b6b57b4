"""The demo's audience: who does what, and what trackers must hear of it.

Everybody acts once per round. `reports` are the statuses that one action must
bring to the tracker; an empty one means that nothing may be sent.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from app.sandbox.telegram import people
from app.sandbox.telegram.people import Chat, Person, Update


@dataclass(frozen=True, slots=True)
class Show:
    """One campaign: its chat, and how its tracker behaves (a mode of the double)."""

    chat: Chat
    mode: str
    remark: str

    @property
    def prefix(self) -> str:
        """Return what the paths of its postbacks start with."""
        return f"/{self.mode}/{-self.chat.id}"

    def template(self, tracker_url: str) -> str:
        """Return the postback template, the same for all five events."""
        macros = ("click", "status", "campaign", "lead", "subscriber", "time")
        query = "&".join(f"{macro}={{{macro}}}" for macro in macros)
        return f"{tracker_url}{self.prefix}/postback?{query}"

    def deposit_template(self, tracker_url: str) -> str:
        """Return the postback template of deposits."""
        template = self.template(tracker_url).replace("{status}", "purchase")
        return f"{template}&value={{value}}&currency={{value_currency}}"


FLOWERS: Final = Show(Chat(-1001000000001, "Flower Deals"), "ok", "answers at once")
COFFEE: Final = Show(Chat(-1001000000002, "Coffee Club"), "flaky/1", "fails once for each postback")
MARKET: Final = Show(Chat(-1001000000003, "Night Market"), "dead", "is dead")
SHOWS: Final = (FLOWERS, COFFEE, MARKET)

#: action → what a spectator sees
_SENTENCES: Final[Mapping[str, str]] = {
    "start": "starts the bot by an ad",
    "restart": "starts again by another ad",
    "request": "asks to be let in",
    "join": "joins",
    "admitted": "is let in by an admin",
    "promoted": "becomes an administrator",
    "leave": "leaves",
    "kick": "is banned by an admin",
    "rejoin": "joins again",
    "organic": "joins without any ad",
    "press": "opens the link of an ad",
    "invited": "joins by the link it gave",
    "deposit": "deposits 49.50 in a casino",
}


@dataclass(frozen=True, slots=True)
class Action:
    """What one person does in one round. `click` is the ad's click id by then."""

    person: Person
    show: Show
    name: str
    reports: tuple[str, ...]
    click: str

    @property
    def sentence(self) -> str:
        """Return what a spectator reads."""
        return _SENTENCES[self.name]

    @property
    def is_start(self) -> bool:
        """Return whether the bot must answer with a welcome."""
        return self.name in ("start", "restart")

    @property
    def is_press(self) -> bool:
        """Return whether it happens in a browser, so that Telegram knows nothing of it."""
        return self.name == "press"

    @property
    def is_deposit(self) -> bool:
        """Return whether another server tells of it, so that Telegram knows nothing of it."""
        return self.name == "deposit"

    def update(self, code: str, date: int, link: str = "") -> Update:
        """Return the update that Telegram makes of it; `link` is the person's invite link."""
        person, chat = self.person, self.show.chat
        if self.is_start:
            return people.start(person, f"{code}-{self.click}", date)
        if self.name == "request":
            return people.join_request(person, chat, date)
        if self.name == "promoted":
            return people.member(person, chat, "member", "administrator", date, people.ADMIN)
        if self.name == "leave":
            return people.leave(person, chat, date)
        if self.name == "kick":
            return people.kick(person, chat, date)
        by = people.ADMIN if self.name == "admitted" else None
        how = people.by_link(link) if self.name == "invited" else people.BY_BUTTON
        return people.join(person, chat, date, by, how=how)


@dataclass(frozen=True, slots=True)
class Role:
    """One person's part: actions in order, each with the status it must report.

    `ends` is the lead's last status as the API numbers it; None is no lead.
    """

    person: Person
    show: Show
    actions: tuple[tuple[str, str], ...]
    ends: int | None

    def played(self) -> Iterator[Action]:
        """Return their actions, one per round."""
        ads = 0
        for name, report in self.actions:
            ads += name in ("start", "restart", "press")
            reports = (report,) if report else ()
            click = f"{self.person.username}-ad{ads}"
            yield Action(self.person, self.show, name, reports, click)


def _role(number: int, name: str, show: Show, ends: int | None, *actions: tuple[str, str]) -> Role:
    person = Person(8_100_000_000 + number, name, username=name.lower())
    return Role(person, show, actions, ends)


_START: Final = ("start", "wait")
_JOIN: Final = ("join", "approve")
_LEAVE: Final = ("leave", "cancel")

PEOPLE: Final = (
    _role(1, "Alice", FLOWERS, 2, _START, _JOIN),
    _role(2, "Boris", FLOWERS, 2, _START, ("request", "hold"), ("admitted", "approve")),
    _role(3, "Chloe", FLOWERS, 3, _START, _JOIN, _LEAVE),
    _role(4, "Deniz", FLOWERS, 4, _START, _JOIN, ("kick", "trash")),
    _role(5, "Emma", FLOWERS, 2, _START, _JOIN, _LEAVE, ("rejoin", "approve")),
    _role(6, "Farid", FLOWERS, 2, _START, ("restart", "wait"), _JOIN),
    _role(7, "Greta", FLOWERS, None, ("organic", ""), ("leave", "")),
    _role(8, "Hiro", FLOWERS, 2, _START, _JOIN, ("promoted", "")),
    _role(9, "Ivan", COFFEE, 2, _START, _JOIN),
    _role(10, "Julia", COFFEE, 0, _START),
    _role(11, "Kofi", MARKET, 0, _START),
    _role(12, "Lena", MARKET, 0, _START),
    _role(13, "Mona", FLOWERS, 2, ("press", ""), ("invited", "approve"), ("deposit", "purchase")),
)


def rounds() -> list[list[Action]]:
    """Return the whole play: for each round what everybody does in it."""
    parts = [list(role.played()) for role in PEOPLE]
    longest = max(len(part) for part in parts)
    return [[part[turn] for part in parts if turn < len(part)] for turn in range(longest)]
