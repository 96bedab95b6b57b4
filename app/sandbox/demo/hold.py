"""Keeps the system of the demo open after the play, so that a person may look around."""

import contextlib
import time
from typing import Final

from app.local.run import RunningSystem
from app.sandbox.demo.output import Output

LOOK_SECONDS: Final = 0.5


def stay(system: RunningSystem, output: Output) -> None:
    """Print how to get in, and return at Ctrl-C, or when a process has ended by itself."""
    output.heading("The dashboard over all this, until Ctrl-C")
    output.fact("enter", f"{system.entry()}  (once, within ten minutes)")
    output.fact("API key", system.key)
    with contextlib.suppress(KeyboardInterrupt):
        while not system.ended_process():
            time.sleep(LOOK_SECONDS)
