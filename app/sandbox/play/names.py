"""People and chats by the names that somebody types. A name has the same id at every start."""

import zlib
from typing import Final

from app.sandbox.telegram.people import Chat, Person

_PEOPLE: Final = 6_000_000_000  #: ids of people begin here, and those of chats are negative
_CHATS: Final = -1_002_000_000_000


class Names:
    """Makes people of names, and finds the names again."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}

    def person(self, name: str) -> Person:
        """Return the person of a name. Capital letters do not matter for who it is."""
        username = name.lower() if name.isascii() and name.isidentifier() else ""
        person = Person(_PEOPLE + _number(name), name, username=username)
        self._names.setdefault(person.id, name)
        return person

    def name_of(self, person: int) -> str:
        """Return the name under which a person was first made, the id if none was."""
        return self._names.get(person, str(person))


def chat(title: str, kind: str = "channel") -> Chat:
    """Return the chat of a title; `kind` is channel, group or supergroup."""
    return Chat(_CHATS - _number(title), title, kind)


def _number(name: str) -> int:
    return zlib.crc32(name.casefold().encode())
