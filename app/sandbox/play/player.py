"""Plays people: turns a command into what Telegram would tell the bot of it."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from app.sandbox.play import names
from app.sandbox.play.commands import Mistake, help_lines
from app.sandbox.play.names import Names
from app.sandbox.telegram import people
from app.sandbox.telegram.bot.chats import Chats
from app.sandbox.telegram.bot.state import BotState
from app.sandbox.telegram.bot.update_kinds import kind_of
from app.sandbox.telegram.people import Chat, Person
from app.sandbox.telegram.server import BotApiDouble

FIRST_CHAT: Final = "News"
_TYPES: Final = ("channel", "group", "supergroup")

Act = Callable[..., list[str]]


class Player:
    """Acts with one bot at a time. `perform` returns lines for the person who typed."""

    def __init__(self, double: BotApiDouble) -> None:
        self._double = double
        self._token = ""
        self._title = ""
        self._names = Names()
        self._acts: dict[str, Act] = {
            "admin": self._admin,
            "demote": self._demote,
            "start": lambda name, payload="": self._tell(
                people.start(self._names.person(name), payload)
            ),
            "say": lambda name, words: self._tell(people.text(self._names.person(name), words)),
            "request": self._request,
            "withdraw": self._withdraw,
            "join": self._join,
            "leave": self._leave,
            "kick": self._kick,
            "block": lambda name: self._tell(
                people.bot_blocked(self._names.person(name), bot=self._me())
            ),
            "unblock": lambda name: self._tell(
                people.bot_unblocked(self._names.person(name), bot=self._me())
            ),
            "who": lambda: list(self._who()),
            "bot": self._choose,
            "help": help_lines,
        }

    def perform(self, name: str, arguments: list[str]) -> list[str]:
        """Do what a command says. Raises Mistake."""
        return self._acts[name](*arguments)

    def name_of(self, number: int) -> str:
        """Return the name of a person or a chat by its id, also from before a restart."""
        for chats in (bot.chats for bot in self._double.bots()):
            if number in chats.seen:
                return str(chats.seen[number]["title"])
            for chat in chats.seen:
                if member := chats.member(chat, number):
                    return str(member["user"]["first_name"])
        return self._names.name_of(number)

    def _bot(self) -> BotState:
        """Return the bot in play: the chosen one, or the first. Raises Mistake."""
        bots = self._double.bots()
        if not bots:
            raise Mistake("no bot is known; name one: bot TOKEN")
        return next((bot for bot in bots if bot.token == self._token), bots[0])

    def _me(self) -> Person:
        own = self._bot().identity
        return Person(own.id, own.name, username=own.username, language="", is_bot=True)

    def _chats(self) -> Chats:
        return self._bot().chats

    def _tell(self, update: dict[str, Any]) -> list[str]:
        """Let an update happen. Raises Mistake if the bot never hears of it."""
        kind = kind_of(update)
        try:
            number = self._double.push(self._bot().token, update)
        except (ValueError, OverflowError) as error:
            raise Mistake(str(error)) from None
        if not number:
            return [f"the bot is not told: it asked for no {kind} in allowed_updates"]
        return [f"update {number}: {kind}"]

    def _named(self, title: str) -> str:
        """Return the title, for "" that of the last chat: typed, or known from before a restart."""
        self._title = title or self._title
        seen = [str(chat["title"]) for chat in self._chats().seen.values()]
        return self._title or (seen[-1] if seen else FIRST_CHAT)

    def _chat(self, title: str) -> Chat:
        """Return the chat of a title, "" for the last one, as it was made."""
        chat = names.chat(self._named(title))
        seen = self._chats().seen.get(chat.id)
        return Chat(chat.id, seen["title"], seen["type"]) if seen else chat

    def _own_chat(self, title: str) -> Chat:
        """Return a chat in which the bot is an administrator. Raises Mistake."""
        chat = self._chat(title)
        own = self._chats().member(chat.id, self._me().id)
        if own is None or own["status"] != "administrator":
            raise Mistake(
                f"the bot is no administrator of {chat.title}, so Telegram tells it nothing;"
                f" type: admin {_quoted(chat.title)}"
            )
        return chat

    def _admin(self, title: str = "", kind: str = "channel") -> list[str]:
        if kind not in _TYPES:
            raise Mistake(f"the type of a chat is {', '.join(_TYPES)}")
        chat = names.chat(self._named(title), kind)
        return self._tell(people.bot_rights(chat, True, bot=self._me()))

    def _demote(self, title: str = "") -> list[str]:
        return self._tell(people.bot_rights(self._own_chat(title), False, bot=self._me()))

    def _request(self, name: str, title: str = "", link: str = "") -> list[str]:
        person, chat = self._outside(name, title)
        return self._tell(people.join_request(person, chat, link=link))

    def _withdraw(self, name: str, title: str = "") -> list[str]:
        person, chat = self._names.person(name), self._own_chat(title)
        if not self._double.withdraw(self._bot().token, person, chat):
            raise Mistake(f"{name} has not asked to be let into {chat.title}")
        return ["Telegram does not tell the bot"]

    def _join(self, name: str, title: str = "", link: str = "") -> list[str]:
        person, chat = self._outside(name, title)
        request = self._chats().requests.get(chat.id, person.id)
        if request is None:
            how = people.by_link(link) if link else people.BY_BUTTON
            return self._tell(people.join(person, chat, how=how))
        how = {"invite_link": request.link} if request.link else people.BY_REQUEST
        return self._tell(people.join(person, chat, by=people.ADMIN, how=how))

    def _leave(self, name: str, title: str = "") -> list[str]:
        return self._tell(people.leave(*self._inside(name, title)))

    def _kick(self, name: str, title: str = "") -> list[str]:
        return self._tell(people.kick(*self._inside(name, title)))

    def _outside(self, name: str, title: str) -> tuple[Person, Chat]:
        """Return a person who is not in a chat, and the chat. Raises Mistake."""
        person, chat = self._names.person(name), self._own_chat(title)
        if self._chats().is_inside(chat.id, person.id):
            raise Mistake(f"{name} is in {chat.title} already")
        return person, chat

    def _inside(self, name: str, title: str) -> tuple[Person, Chat]:
        """Return a person who is in a chat, and the chat. Raises Mistake."""
        person, chat = self._names.person(name), self._own_chat(title)
        if not self._chats().is_inside(chat.id, person.id):
            raise Mistake(f"{name} is not in {chat.title}")
        return person, chat

    def _choose(self, token: str = "") -> list[str]:
        if token:
            if token not in [bot.token for bot in self._double.bots()]:
                number = token.partition(":")[0]
                if not (number.isascii() and number.isdigit()):
                    raise Mistake("a token is a number, a colon and a secret")
                self._double.add_bot(token, f"bot{number}_bot")
            self._token, self._title = token, ""
        chosen = self._bot()
        return [
            f"{'*' if bot is chosen else ' '} @{bot.identity.username}"
            for bot in self._double.bots()
        ]

    def _who(self) -> Iterator[str]:
        chats = self._chats()
        for number, chat in chats.seen.items():
            inside = [member["user"]["first_name"] for member in chats.people_in(number)]
            waiting = [request["user"]["first_name"] for request in chats.requests.as_json()
                       if request["chat"]["id"] == number]  # fmt: skip
            yield f"{chat['title']} ({chat['type']}, {number}): {', '.join(inside) or 'nobody'}" + (
                f"; waiting: {', '.join(waiting)}" if waiting else ""
            )
        if not chats.seen:
            yield "the bot knows no chat; type: admin"


def _quoted(title: str) -> str:
    return f'"{title}"' if " " in title else title
