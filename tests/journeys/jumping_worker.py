"""worker.py on a machine whose wall clock is set anew while it works.

CRASH_FOLDER holds `clock`: by how many seconds the clock is wrong just now; without it the clock
is right. What measures durations goes on as before.
"""

import os
import sys
import time
from pathlib import Path

CLOCK = Path(os.environ["CRASH_FOLDER"]) / "clock"
_right = time.time


def _set() -> float:
    try:
        return _right() + float(CLOCK.read_text() or 0)
    except FileNotFoundError:
        return _right()


time.time = _set  # before anything of the application could take the right one

from app.worker import supervisor  # noqa: E402

if __name__ == "__main__":
    sys.exit(supervisor.main())
