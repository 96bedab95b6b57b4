"""Migrations form one line, so that `flask db upgrade` knows where to go.

Two branches that land in the same minute may both take the next number; nothing
in Git objects. This guard reads the files alone, and is quick enough for every landing.
"""

from __future__ import annotations

import re

from tests.support import ROOT

FIELD = re.compile(r'^(revision|down_revision) = (?:"(\d{4})"|None)$', re.MULTILINE)


def test_migrations_form_one_line_and_are_named_by_their_numbers():
    files = sorted((ROOT / "migrations" / "versions").glob("*.py"))
    fields = {file.name: dict(FIELD.findall(file.read_text())) for file in files}
    numbers = [one["revision"] for one in fields.values()]
    assert [name[:4] for name in fields] == numbers
    assert [one["down_revision"] for one in fields.values()] == ["", *numbers[:-1]]
