"""Which people a bot may write to: those who wrote first, and did not block it since.

A person who only asked to join may be written to as long as
`JoinRequests.is_window_open`. A person of whom the double knows nothing may be
written to: that is ours, so that a test needs no start for every message.
"""

from app.sandbox.telegram.faults import BLOCKED, NEVER_STARTED, Fault


class Reach:
    """Remembers who started the bot, who blocked it, and who only asked to join."""

    def __init__(self) -> None:
        self._started: set[int] = set()
        self._blocked: set[int] = set()
        self._asked: set[int] = set()

    def start(self, person: int) -> None:
        """The person wrote to the bot, or unblocked it."""
        self._started.add(person)
        self._blocked.discard(person)

    def block(self, person: int) -> None:
        """The person blocked the bot."""
        self._blocked.add(person)

    def ask(self, person: int) -> None:
        """The person asked to be let into a chat."""
        self._asked.add(person)

    def fault(self, person: int, window_open: bool) -> Fault | None:
        """Return how Telegram refuses a message to a person, None if it takes it."""
        if person in self._blocked:
            return BLOCKED
        only_asked = person in self._asked and person not in self._started
        return NEVER_STARTED if only_asked and not window_open else None

    def as_json(self) -> list[list[int]]:
        """Return all of it as JSON has it, for `restore`."""
        return [sorted(people) for people in (self._started, self._blocked, self._asked)]

    def restore(self, data: list[list[int]]) -> None:
        """Take over what `as_json` returned. Raises TypeError or ValueError."""
        self._started, self._blocked, self._asked = map(set, data)
