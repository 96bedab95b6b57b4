"""The sandbox's prompt: reads commands, and prints what came of them and what the bot said."""

import threading
import time
from collections.abc import Callable
from typing import Final, TextIO

from app.sandbox.play.commands import Mistake, parse
from app.sandbox.play.player import Player
from app.sandbox.telegram.log import Call, SentMessage
from app.sandbox.telegram.server import BotApiDouble
from app.sandbox.terminal import GREEN, RED, Terminal

WAIT_SECONDS: Final = 10.0
MAX_WAIT_SECONDS: Final = 3600.0
_LOOK_SECONDS: Final = 0.1
#: Calls that change what people see, beside messages.
_DEEDS: Final = {"approvechatjoinrequest": "lets in", "declinechatjoinrequest": "turns away"}


class Prompt:
    """Prints to a terminal. `read` is for one thread, `show_news` for any."""

    def __init__(self, double: BotApiDouble, terminal: Terminal) -> None:
        self._news = double.follow()
        self._player = Player(double)
        self._terminal = terminal
        self._prompt = ""
        self._lock = threading.Lock()

    def read(self, stream: TextIO, prompt: str = "") -> bool:
        """Perform the lines of a stream. Returns True after `quit`, False at its end."""
        while True:
            with self._lock:
                self._prompt = prompt
                self._terminal.part(prompt)
            line = stream.readline()
            self._prompt = ""
            if not line:
                return False
            if self._perform(line):
                return True

    def show_news(self) -> int:
        """Print what the bots said and did since the last time. Return how much it was."""
        texts = []
        with self._lock:
            while not self._news.empty():
                if text := self._text_of(self._news.get()):
                    texts.append(text)
            if texts and self._prompt:
                self._terminal.part("\r")  # the prompt stands there already
            for text in texts:
                self._terminal.wrapped(text, GREEN, first="  ", rest="    ")
            if texts:
                self._terminal.part(self._prompt)
        return len(texts)

    def _text_of(self, news: SentMessage | Call) -> str:
        """Return what a person sees of it; "" for a call of which nobody sees anything."""
        if isinstance(news, SentMessage):
            return f"the bot to {self._player.name_of(news.chat_id)}: {_content(news)}"
        deed = _DEEDS.get(news.method.lower())
        person = str(news.params.get("user_id", ""))
        return f"the bot {deed} {self._player.name_of(int(person))}" if deed else ""

    def _perform(self, line: str) -> bool:
        try:
            command = parse(line)
            if command is None:
                return False
            name, arguments = command
            if name == "quit":
                return True
            if name == "wait":
                self._wait(*arguments)
            else:
                for text in self._player.perform(name, arguments):
                    self._print(text)
        except Mistake as mistake:
            self._print(str(mistake), RED)
        return False

    def _wait(self, seconds: str = "") -> None:
        try:
            limit = float(seconds or WAIT_SECONDS)
        except ValueError:
            limit = -1.0
        if not 0 <= limit <= MAX_WAIT_SECONDS:
            raise Mistake("usage: wait [SECONDS], an hour at most")
        if not _until(self.show_news, limit):
            self._print("the bot said nothing")

    def _print(self, text: str, colour: str = "") -> None:
        with self._lock:
            self._terminal.wrapped(text, colour)


def _until(news: Callable[[], int], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not news():
        if time.monotonic() > end:
            return False
        time.sleep(_LOOK_SECONDS)
    return True


def _content(message: SentMessage) -> str:
    """Return what a message shows, and its buttons."""
    media = message.method.removeprefix("send").lower()
    kind = "" if media == "message" else f"[{media}] "
    buttons = "".join(
        f"\n[{button.get('text', '')}] {button.get('url', '')}".rstrip()
        for row in message.reply_markup.get("inline_keyboard", [])
        for button in row
    )
    return f"{kind}{message.shown}{buttons}"
