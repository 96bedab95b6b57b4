"""`python -m app.sandbox`: both doubles, for a campaign that has no traffic yet."""

from __future__ import annotations

import argparse
import signal
import threading

from app.sandbox.bot_api import BotApiDouble
from app.sandbox.serving import LOOPBACK, running
from app.sandbox.tracker import TrackerDouble


def main() -> None:
    """Serve until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m app.sandbox", description=__doc__)
    parser.add_argument("--host", default=LOOPBACK)
    parser.add_argument("--bot-api-port", type=int, default=8081)
    parser.add_argument("--tracker-port", type=int, default=8082)
    parser.add_argument(
        "--bot", metavar="TOKEN", action="append", default=[], help="known from the start"
    )
    chosen = parser.parse_args()

    bot_api, tracker = BotApiDouble(), TrackerDouble()
    for token in chosen.bot:
        bot_api.add_bot(token, f"bot{token.partition(':')[0]}_bot")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        with (
            running(bot_api, host=chosen.host, port=chosen.bot_api_port) as bot_api_url,
            running(tracker, host=chosen.host, port=chosen.tracker_port) as tracker_url,
        ):
            print(f"Bot API double  TELEGRAM_API_URL={bot_api_url}")  # noqa: T201
            print(f"Tracker double  {tracker_url}/ok/pb?click={{click}}", flush=True)  # noqa: T201
            stop.wait()
    except OSError as error:
        parser.exit(1, f"cannot listen: {error}\n")


if __name__ == "__main__":
    main()
