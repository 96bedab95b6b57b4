"""What is typed is read as a command, or answered with what there is."""

import pytest

from app.sandbox.play.commands import COMMANDS, Mistake, help_lines, parse
from app.sandbox.terminal import WIDTH


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("start Ann", ("start", ["Ann"])),
        ("START Ann abc-1\n", ("start", ["Ann", "abc-1"])),
        ('join "Ann Lee" "Flower Deals"', ("join", ["Ann Lee", "Flower Deals"])),
        ("say Ann how are you", ("say", ["Ann", "how are you"])),
        ("who  # everybody", ("who", [])),
        ("", None),
        ("# a remark", None),
    ],
)
def test_a_line_is_a_command_and_its_arguments(line, command):
    assert parse(line) == command


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("jion Ann", "there are admin, demote, start"),
        ("join", r"usage: join PERSON \[CHAT \[LINK\]\]"),
        ("leave Ann News now", "usage: leave"),
        ("who Ann", "usage: who"),
        ('join "Ann', "quote"),
        ('join ""', "empty"),
    ],
)
def test_a_mistake_is_answered_with_what_there_is(line, says):
    with pytest.raises(Mistake, match=says):
        parse(line)


def test_help_names_every_command_in_narrow_lines():
    lines = help_lines()
    assert [line.split()[0] for line in lines[: len(COMMANDS)]] == [one.name for one in COMMANDS]
    assert max(map(len, lines)) <= WIDTH
