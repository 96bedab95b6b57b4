"""The commands that are typed at the sandbox's prompt: their names, usage and arguments."""

import shlex
from dataclasses import dataclass
from typing import Final


class Mistake(Exception):
    """What was typed cannot be done; the text says why, and what can."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `least` and `most` say how many arguments it takes."""

    name: str
    usage: str
    help: str
    least: int = 0
    most: int = 0


#: As `help` lists them.
COMMANDS: Final = (
    Command("admin", "[CHAT [TYPE]]", "the bot becomes an administrator", 0, 2),
    Command("demote", "[CHAT]", "the bot is no administrator any more", 0, 1),
    Command("start", "PERSON [PAYLOAD]", "opens the bot, by ?start=PAYLOAD", 1, 2),
    Command("say", "PERSON TEXT", "writes to the bot", 2, 2),
    Command("request", "PERSON [CHAT [LINK]]", "asks to be let in", 1, 3),
    Command("withdraw", "PERSON [CHAT]", "takes the request back", 1, 2),
    Command("join", "PERSON [CHAT [LINK]]", "comes in", 1, 3),
    Command("leave", "PERSON [CHAT]", "goes", 1, 2),
    Command("kick", "PERSON [CHAT]", "is banned by an administrator", 1, 2),
    Command("block", "PERSON", "stops the bot", 1, 1),
    Command("unblock", "PERSON", "lets the bot write again", 1, 1),
    Command("who", "", "who is in which chat, and who waits"),
    Command("bot", "[TOKEN]", "which bots there are; play with this one", 0, 1),
    Command("wait", "[SECONDS]", "until the bot says something (10 s)", 0, 1),
    Command("help", "", "this list"),
    Command("quit", "", "stop the sandbox"),
)
_BY_NAME: Final = {command.name: command for command in COMMANDS}


def parse(line: str) -> tuple[str, list[str]] | None:
    """Return a command and its arguments, None for an empty line or a comment.

    Names with spaces stand in quotes. Raises Mistake.
    """
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        raise Mistake("a quote is not closed") from None
    if not words:
        return None
    name, arguments = words[0].lower(), words[1:]
    if "" in arguments:
        raise Mistake("a name is empty")
    command = _BY_NAME.get(name)
    if command is None:
        raise Mistake(f"there is no {words[0]!r}; there are {', '.join(_BY_NAME)}")
    if name == "say" and len(arguments) > 2:
        arguments = [arguments[0], " ".join(arguments[1:])]
    if not command.least <= len(arguments) <= command.most:
        raise Mistake(f"usage: {name} {command.usage}".rstrip())
    return name, arguments


def help_lines() -> list[str]:
    """Return the list of commands, a line for each."""
    lines = [f"{command.name} {command.usage}".ljust(30) + command.help for command in COMMANDS]
    return [
        *lines,
        "PERSON and CHAT are names of your choice, in quotes if they have spaces; without",
        "CHAT it is the last one. TYPE is channel, group or supergroup.",
    ]
