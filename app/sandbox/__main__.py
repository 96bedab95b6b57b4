"""`python -m app.sandbox`: the doubles, for a campaign that has no traffic yet.

A Bot API, a tracker with fault modes, and every vendor that an adapter speaks
to. For each vendor the parameters of dest/add are printed that connect it;
start Gatepost with OUTBOUND_ALLOW=127.0.0.0/8 to let it reach them. What came
in is told by GET /sandbox/log on the ports of the tracker and of each vendor.
"""

from __future__ import annotations

import argparse
import json
import signal
import threading
from contextlib import ExitStack

from app.sandbox.serving import LOOPBACK, Server, running
from app.sandbox.telegram.server import BotApiDouble
from app.sandbox.vendors import catalogue
from app.sandbox.vendors.tracker import TrackerDouble


def main() -> None:
    """Serve until Ctrl-C or SIGTERM."""
    parser = _parser()
    chosen = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        with ExitStack() as stack:
            for line in _serve(stack, chosen):
                print(line, flush=True)  # noqa: T201
            stop.wait()
    except OSError as error:
        parser.exit(1, f"cannot listen: {error}\n")


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
    return parser


def _serve(stack: ExitStack, chosen: argparse.Namespace) -> list[str]:
    """Start everything; what to tell the person who asked for it. Raises OSError."""

    def serve(server: Server, port: int) -> str:
        return stack.enter_context(running(server, host=chosen.host, port=port))

    bot_api = BotApiDouble()
    for token in chosen.bot:
        bot_api.add_bot(token, f"bot{token.partition(':')[0]}_bot")
    said = [
        f"Bot API double  TELEGRAM_API_URL={serve(bot_api, chosen.bot_api_port)}",
        f"Tracker double  {serve(TrackerDouble(), chosen.tracker_port)}/ok/pb?click={{click}}",
    ]
    for number, vendor in enumerate(catalogue.every()):
        url = serve(vendor.double, chosen.vendor_port and chosen.vendor_port + number)
        body = {"tracker": vendor.tracker, "settings": vendor.settings(url)}
        said.append(f"Vendor double   {url}  {json.dumps(body)}")
    return said


if __name__ == "__main__":
    main()
