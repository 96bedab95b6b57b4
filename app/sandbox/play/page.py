"""Pages that stand for Telegram: a person opens a link of t.me, presses START, and comes and goes.

`/` names the bots with their tokens, `/t.me/<bot>` is what https://t.me/<bot> would open, and
`/t.me/<bot>/<person>` is the chat of that person with the bot. For whoever has a browser and no
terminal; the same can be typed as commands.
"""

from html import escape
from typing import Final
from urllib.parse import quote, urlencode

from aiohttp import web

from app.sandbox.play.commands import Mistake
from app.sandbox.play.names import Names
from app.sandbox.play.player import FIRST_CHAT, Player
from app.sandbox.telegram.bot.state import BotState
from app.sandbox.telegram.log import SentMessage
from app.sandbox.telegram.server import BotApiDouble

FIRST_PERSON: Final = "Ann"
_NO_MESSAGE: Final = "<p>The bot has said nothing.</p>"
#: What the buttons of a chat do, and what stands on them.
_ACTIONS: Final = {
    "request": "Ask to join",
    "join": "Join",
    "leave": "Leave",
}
_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem}"
    "form{margin:.5rem 0}input,button{font:inherit;padding:.4rem .8rem}"
    "code{background:#8882;padding:.1rem .3rem;overflow-wrap:anywhere}"
    ".said{background:#8882;border-radius:8px;padding:.5rem .8rem;white-space:pre-wrap}"
    ":root{color-scheme:light dark}"
)


class Pages:
    """The pages of one double. `tracker_url` is a tracker that hears what it is told."""

    def __init__(self, double: BotApiDouble, tracker_url: str) -> None:
        self._double = double
        self._tracker_url = tracker_url
        self._player = Player(double)
        self._names = Names()

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, for `BotApiDouble.serve`."""
        return [
            web.get("/", self._index),
            web.get("/t.me/{bot}", self._link),
            web.get("/t.me/{bot}/{person}", self._chat),
            web.post("/t.me/{bot}", self._act),
        ]

    async def _index(self, _request: web.Request) -> web.Response:
        rows = "".join(
            f'<li><a href="/t.me/{bot.identity.username}">@{bot.identity.username}</a>,'
            f" its token: <code>{escape(bot.token)}</code></li>"
            for bot in self._double.bots()
        )
        return _page(
            "This is Telegram, in the sandbox",
            f"<p>BotFather has made you a bot. Add it in the dashboard:</p><ul>{rows}</ul>"
            "<p>What the dashboard opens in Telegram opens here.</p>"
            "<p>There is a tracker, too. An address of it for the events of a campaign:</p>"
            f"<p><code>{escape(self._tracker_url)}/ok/postback?click={{click}}"
            "&amp;status={status}</code></p>"
            f'<p><a href="{escape(self._tracker_url)}/sandbox/log">What it has heard</a></p>',
        )

    async def _link(self, request: web.Request) -> web.Response:
        bot = self._bot(request)
        for kind, word in (("startchannel", "channel"), ("startgroup", "supergroup")):
            if kind in request.query:
                chat_kind = word.removeprefix("super")
                fields = (
                    f'<label>Your {chat_kind}: <input name="chat" value="{FIRST_CHAT}"></label>'
                    f'<input type="hidden" name="kind" value="{word}"> '
                    f"<button>Make @{bot.identity.username} an administrator</button>"
                )
                return _page(f"Add the bot to a {chat_kind}", _form(bot, "admin", fields))
        payload = escape(request.query.get("start", ""), quote=True)
        fields = (
            f'<label>You are <input name="person" value="{FIRST_PERSON}"></label>'
            f'<input type="hidden" name="payload" value="{payload}"> <button>START</button>'
        )
        return _page(f"@{bot.identity.username}", _form(bot, "start", fields))

    async def _chat(self, request: web.Request) -> web.Response:
        bot, name = self._bot(request), request.match_info["person"]
        person = self._names.person(name)
        sent = self._double.sent(bot.token)
        buttons = "".join(
            _buttons(bot, name, str(chat["title"])) for chat in bot.chats.seen.values()
        )
        messages = "".join(_shown(message) for message in sent if message.chat_id == person.id)
        wrong = escape(request.query.get("wrong", ""))
        return _page(
            f"{name} and @{bot.identity.username}",
            f"{messages or _NO_MESSAGE}{buttons}<p><b>{wrong}</b></p>"
            "<p>Look at the dashboard what becomes of it. "
            f'<a href="/t.me/{bot.identity.username}/{quote(name, safe="")}">Look again</a></p>',
        )

    async def _act(self, request: web.Request) -> web.Response:
        """Do what a button says, and show what came of it."""
        bot, form = self._bot(request), await request.post()
        typed = {key: str(form.get(key, "")).strip() for key in ("do", "chat", "person")}
        here = f"/t.me/{bot.identity.username}"
        name = typed["person"] or FIRST_PERSON
        try:
            self._player.perform("bot", [bot.token])
            if typed["do"] == "admin":
                chat, kind = typed["chat"] or FIRST_CHAT, str(form.get("kind", "channel"))
                self._player.perform("admin", [chat, kind])
                text = "<p>Go back to the dashboard: it has seen it.</p>"
                return _page(f"The bot is an administrator of {chat}", text)
            if typed["do"] == "start":
                payload = str(form.get("payload", ""))
                self._player.perform("start", [name, payload] if payload else [name])
            elif typed["do"] in _ACTIONS:
                self._player.perform(typed["do"], [name, typed["chat"]])
            wrong = ""
        except Mistake as mistake:
            wrong = "?" + urlencode({"wrong": str(mistake)})
        raise web.HTTPSeeOther(f"{here}/{quote(name, safe='')}{wrong}")

    def _bot(self, request: web.Request) -> BotState:
        """Return the bot that the path names. Raises HTTPNotFound."""
        for bot in self._double.bots():
            if bot.identity.username == request.match_info["bot"]:
                return bot
        raise web.HTTPNotFound(text="there is no such bot here")


def _buttons(bot: BotState, person: str, chat: str) -> str:
    """Return the buttons by which a person comes into a chat and goes."""
    name = escape(person, quote=True)
    buttons = "".join(
        f'<button name="do" value="{verb}">{words}</button> ' for verb, words in _ACTIONS.items()
    )
    return (
        f'<form method="post" action="/t.me/{bot.identity.username}"><b>{escape(chat)}</b> '
        f'<input type="hidden" name="person" value="{name}">'
        f'<input type="hidden" name="chat" value="{escape(chat, quote=True)}">{buttons}</form>'
    )


def _shown(message: SentMessage) -> str:
    return f'<p class="said">{escape(message.shown)}</p>'


def _form(bot: BotState, verb: str, fields: str) -> str:
    return (
        f'<form method="post" action="/t.me/{bot.identity.username}">{fields}'
        f'<input type="hidden" name="do" value="{verb}"></form>'
    )


def _page(title: str, body: str) -> web.Response:
    text = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="data:,">'
        f"<style>{_STYLE}</style><h1>{escape(title)}</h1>{body}</html>"
    )
    return web.Response(text=text, content_type="text/html")
