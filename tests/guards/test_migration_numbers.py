"""Migrations form one line, so that `flask db upgrade` knows where to go.

Two branches that land in the same minute may both take the next number; nothing
in Git objects. This guard reads the files alone, and is quick enough for every landing.
"""

import re

from tests.support import ROOT
from tests.support.releases import RELEASES

FIELD = re.compile(r'^(revision|down_revision) = (?:"(\d{4})"|None)$', re.MULTILINE)


def test_migrations_form_one_line_and_are_named_by_their_numbers():
    files = sorted((ROOT / "migrations" / "versions").glob("*.py"))
    fields = {file.name: dict(FIELD.findall(file.read_text())) for file in files}
    numbers = [one["revision"] for one in fields.values()]
    assert [name[:4] for name in fields] == numbers
    assert [one["down_revision"] for one in fields.values()] == ["", *numbers[:-1]]
    first = int(numbers[0])
    assert numbers == [f"{first + n:04}" for n in range(len(numbers))], "a number is left out"


#: Up to this one nobody has rows that anybody waits for.
FIRST_RELEASE = RELEASES[0].migration
#: Tables with rows of every person, whose writers must not wait until an index is built.
LARGE = (
    "attempt", "click", "conversion", "join_request", "journal", "lead", "message", "postback",
    "telegram_update",
)  # fmt: skip
CALL = re.compile(r"create_index\((?:[^()]|\([^()]*\))*\)")


def locking_indexes(source: str) -> list[str]:
    """Calls that build an index of a large table, or of one that they do not name, under a lock."""
    creates = set(re.findall(r"create_table\(\s*\"(\w+)\"", source))
    locked = []
    for call in CALL.findall(source):
        names = re.findall(r"\"(\w+)\"", call)[1:2]
        is_large = not names or (names[0] in LARGE and names[0] not in creates)
        if is_large and "postgresql_concurrently=True" not in call:
            locked.append(call)
    return locked


def test_an_index_of_a_large_table_is_built_while_it_is_written_to():
    """CREATE INDEX lets nobody write until it is done: minutes with many millions of rows.

    On PostgreSQL it takes `with op.get_context().autocommit_block():` around the call.
    """
    files = sorted((ROOT / "migrations" / "versions").glob("*.py"))
    later = [file for file in files if file.name[:4] > FIRST_RELEASE]
    assert {
        file.name: locked for file in later if (locked := locking_indexes(file.read_text()))
    } == {}


def test_what_the_guard_is_there_to_find_it_finds():
    lead = 'op.create_index("ix_lead_x", "lead", ["x"], postgresql_where=sa.text("x > 0"))'
    assert locking_indexes(lead) == [lead.removeprefix("op.")]
    assert locking_indexes("op.create_index(name, table, columns)")
    assert not locking_indexes(lead[:-1] + ", postgresql_concurrently=True)")
    assert not locking_indexes(lead.replace('"lead"', '"site"'))
    assert not locking_indexes('op.create_table("lead", x)\n' + lead)
