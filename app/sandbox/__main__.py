"""`python -m app.sandbox`: the doubles, for a campaign that has no traffic yet.

A Bot API, a tracker with fault modes, and every vendor that an adapter speaks
to. For each vendor the parameters of dest/add are printed that connect it;
start Gatepost with OUTBOUND_ALLOW=127.0.0.0/8 to let it reach them. GET
/sandbox/log on the ports of the tracker and of each vendor shows what came in.

Commands, typed or piped in, play people: `help` lists them. What the bots say
is printed. Update ids, bots and chats go on after a restart (--state).
"""

import argparse
import io
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from app.sandbox.play.memory import Memory, Unreadable
from app.sandbox.play.prompt import Prompt
from app.sandbox.serving import LOOPBACK, Server, running
from app.sandbox.telegram.server import BotApiDouble
from app.sandbox.terminal import Terminal
from app.sandbox.vendors import catalogue
from app.sandbox.vendors.tracker import TrackerDouble

STATE: Final = Path("var/sandbox.json")
LOOK_SECONDS: Final = 0.2


def main() -> None:
    """Serve until Ctrl-C, SIGTERM or `quit`."""
    parser = _parser()
    options = parser.parse_args()
    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        # `set` takes a lock that the thread which is interrupted may hold in `wait`.
        signal.signal(number, lambda *_: threading.Thread(target=stop.set).start())
    double, memory = BotApiDouble(), Memory(options.state)
    prompt = Prompt(double, Terminal(sys.stdout))
    try:
        memory.restore(double)
    except (Unreadable, OSError) as error:
        parser.exit(1, f"cannot go on where it was: {error}\n")
    try:
        with ExitStack() as stack:
            for line in _serve(stack, double, options):
                print(line, flush=True)  # noqa: T201
            _play(double, prompt, memory, stop)
    except OSError as error:
        parser.exit(1, f"cannot serve: {error}\n")


def _play(double: BotApiDouble, prompt: Prompt, memory: Memory, stop: threading.Event) -> None:
    """Perform commands and print what bots say, until something asks to stop."""
    memory.save(double)  # before the first update, so that its id never comes again
    reader = threading.Thread(target=_read, args=(prompt, stop), daemon=True, name="prompt")
    reader.start()
    while not stop.wait(LOOK_SECONDS):
        prompt.show_news()
        memory.save(double)
    prompt.show_news()
    memory.save(double, margin=0)


def _read(prompt: Prompt, stop: threading.Event) -> None:
    """Read commands. At the end of a pipe the doubles go on; at a terminal they stop."""
    typed = sys.stdin.isatty()
    if typed and not _is_in_foreground():
        return
    if typed:
        print("Commands play people; `help` lists them.", flush=True)  # noqa: T201
    if prompt.read(sys.stdin, "> " if typed else "") or typed:
        stop.set()


def _is_in_foreground() -> bool:
    """Return whether the terminal is ours. Who reads it after a `&` is stopped by the shell."""
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except OSError:
        return False


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m app.sandbox",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default=LOOPBACK, help="where to listen (%(default)s)")
    add("--bot-api-port", type=int, default=8081, help="of the Bot API (%(default)s)")
    add("--tracker-port", type=int, default=8082, help="of the tracker (%(default)s)")
    add(
        "--vendor-port",
        type=int,
        default=8083,
        help="of the first vendor, the others follow (%(default)s); 0 takes any that are free",
    )
    add("--bot", metavar="TOKEN", action="append", default=[], help="known from the start")
    add(
        "--state",
        metavar="FILE",
        type=Path,
        default=STATE,
        help="what to go on with after a restart (%(default)s); delete it to begin anew",
    )
    return parser


def _serve(stack: ExitStack, bot_api: BotApiDouble, options: argparse.Namespace) -> Iterator[str]:
    """Start everything; yield what to tell the person who asked for it. Raises OSError."""

    def serve(server: Server, port: int) -> str:
        return stack.enter_context(running(server, host=options.host, port=port))

    restored = [bot.token for bot in bot_api.bots()]
    for token in options.bot:
        if token not in restored:
            bot_api.add_bot(token, f"bot{token.partition(':')[0]}_bot")
    yield f"Bot API double  TELEGRAM_API_URL={serve(bot_api, options.bot_api_port)}"
    yield f"Tracker double  {serve(TrackerDouble(), options.tracker_port)}/ok/pb?click={{click}}"
    for number, vendor in enumerate(catalogue.every()):
        url = serve(vendor.double, options.vendor_port and options.vendor_port + number)
        body = {"tracker": vendor.tracker, "settings": vendor.settings(url)}
        yield f"Vendor double   {url}  {json.dumps(body)}"


if __name__ == "__main__":
    main()
