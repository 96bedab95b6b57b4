"""A list of blocked people as text: an id or a name on each line, or our own CSV. Pure."""

import csv
import re
from typing import Final, NamedTuple

from plugins.contract import translatable

MOST_ENTRIES: Final = 10_000
LONGEST_REASON: Final = 200
_ID: Final = re.compile(r"[1-9][0-9]{0,17}")
_USERNAME: Final = re.compile(r"@?([A-Za-z][A-Za-z0-9_]{0,63})")
_HEADER: Final = frozenset({"id", "subscriber", "username"})


class BlockedPerson(NamedTuple):
    """One person, by id, by username in lower case, or by both."""

    subscriber: int | None
    username: str | None
    reason: str = ""


def read_person(first: str, second: str = "", reason: str = "") -> BlockedPerson:
    """Read one person: `first` is an id or a username. Raises ValueError with a sentence."""
    subscriber = int(first) if _ID.fullmatch(first) else None
    name = second if subscriber is not None else first or second
    match = _USERNAME.fullmatch(name)
    if (name and match is None) or (subscriber is None and match is None):
        raise ValueError(translatable("is neither the id nor the username of a person"))
    username = match[1].lower() if match else None
    return BlockedPerson(subscriber, username, reason[:LONGEST_REASON])


def parse(text: str) -> list[BlockedPerson]:
    """Read lines of `id`, `@username`, or `id,username,reason`; a header is left out.

    Raises ValueError with the number of the line, or if there are too many.
    """
    people: list[BlockedPerson] = []
    for number, line in enumerate(text.splitlines(), 1):
        cells = _cells(line)
        if not any(cells) or (number == 1 and cells[0].lower() in _HEADER):
            continue
        try:
            people.append(read_person(*[*cells, "", ""][:3]))
        except ValueError as error:
            fault = translatable("line %(number)d: %(doubt)s", number=number, doubt=str(error))
            raise ValueError(fault) from None
        if len(people) > MOST_ENTRIES:
            raise ValueError(translatable("has more than %(most)d lines", most=MOST_ENTRIES))
    return people


def _cells(line: str) -> list[str]:
    """The cells of one line; a line that is no CSV is one cell."""
    try:
        return [cell.strip() for row in csv.reader([line]) for cell in row]
    except csv.Error:
        return [line]
