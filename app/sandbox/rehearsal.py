"""`make run SANDBOX=1`: everything here, with the sandbox as Telegram and as a tracker.

What Telegram would show is shown at loopback, by `play.page`. The installation is one of its
own, in a temporary folder, and begins anew at each start: the sandbox remembers nothing.
"""

import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NoReturn

from app.config import Settings
from app.local import run
from app.local.environment import with_dotenv
from app.local.redis_server import CannotRun
from app.sandbox.play.page import Pages
from app.sandbox.serving import LOOPBACK, running
from app.sandbox.telegram.server import BotApiDouble
from app.sandbox.vendors.tracker import TrackerDouble

TOKEN: Final = "4242:the-token-of-a-rehearsal"  # noqa: S105 - only the sandbox knows it
USERNAME: Final = "rehearsal_bot"
#: Settings of a real installation that may stay: they lead to nothing of it.
_INHERITED: Final = frozenset({"PORT", "WEB_CONCURRENCY", "LOG_LEVEL", "LOG_FORMAT"})


def environment(environ: Mapping[str, str], telegram_url: str) -> dict[str, str]:
    """Return `environ` with the sandbox in the place of Telegram.

    Nothing that belongs to a real installation is left in it, wherever its settings point.
    """
    ours = {name.upper() for name in Settings.__slots__} - _INHERITED
    inherited = {name: text for name, text in environ.items() if name not in ours}
    return {"PORT": "8000", **inherited} | {
        "TELEGRAM_API_URL": telegram_url,
        "TELEGRAM_LINK_URL": f"{telegram_url}/t.me",
        "OUTBOUND_ALLOW": "127.0.0.0/8",
        "GRANIAN_HOST": LOOPBACK,
    }


def main() -> int:
    """Run in the terminal until Ctrl-C; nothing is kept. Returns the exit status."""
    for number in run.SIGNALS:
        signal.signal(number, run.interrupt)
    os.umask(0o077)
    try:
        with tempfile.TemporaryDirectory(prefix="gatepost-rehearsal-") as folder:
            _rehearse(Path(folder))
    except (CannotRun, OSError) as error:
        run.say(f"gatepost: {error}")
        return 1
    except KeyboardInterrupt:
        run.say("Gatepost has stopped.")
        return 0


def _rehearse(folder: Path) -> NoReturn:
    """Run the doubles, and everything else in `folder`. Raises CannotRun and OSError."""
    double = BotApiDouble()
    double.add_bot(TOKEN, USERNAME, "Rehearsal")
    with running(TrackerDouble(), host=LOOPBACK) as tracker_url:
        double.serve(Pages(double, tracker_url).routes())
        with running(double, host=LOOPBACK) as telegram_url:
            environ = environment(with_dotenv(os.environ, run.HOME / ".env"), telegram_url)
            with run.running(environ, folder, quiet=False) as system:
                run.say(f"Telegram is played at {telegram_url} - a bot's token is there, too.")
                run.stay(system)


if __name__ == "__main__":
    sys.exit(main())
