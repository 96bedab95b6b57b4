"""One measured round: send, wait for the postbacks, read the CPU, judge."""

import asyncio
import time
from dataclasses import dataclass

from bench.audience import Crowd, owed
from bench.load import Line, Load
from bench.measure import Meter, Progress, Round, judge
from bench.sink import Sink
from bench.system import Postgres, Running

QUIET_SECONDS = 0.5  # left after the last postback, for what is settled behind it


@dataclass(frozen=True, slots=True)
class Pressure:
    """How the updates are sent."""

    connections: int
    ahead: int
    patience: float  # seconds without any postback after which the missing are lost
    rate: float | None = None  # updates a second; None: as fast as they are answered


class Track:
    """One program under measurement, over all its rounds."""

    def __init__(self, name: str, running: Running, sink: Sink, meter: Meter) -> None:
        self.name = name
        self.meter = meter
        self._running = running
        self._sink = sink
        self._crowd = Crowd(running.doors)

    @property
    def doer(self) -> str:
        """The process whose log tells why a postback did not come."""
        return "worker" if self.name == "system" else "control0"

    def round(self, title: str, people: int, pressure: Pressure, postgres: Postgres) -> Round:
        """`people` start and join; every one of them is new."""
        crowd = self._crowd.take(people)
        wanted = set(owed(crowd))
        postgres.checkpoint()
        self._sink.take()
        before = self.meter.cpu()
        progress = Progress(f"{self.name}, {title}", len(wanted))
        load = Load(self._running.port, Line(crowd, pressure.ahead), len(wanted), pressure.rate)
        sent = asyncio.run(load.run(pressure.connections, progress))
        self._drain(len(wanted), pressure.patience)
        time.sleep(QUIET_SECONDS)
        after = self.meter.cpu()
        progress.done()
        spent = {part: after[part] - before[part] for part in after}
        return judge(sent, self._sink.take(), wanted, spent)

    def _drain(self, wanted: int, patience: float) -> None:
        came, since = -1, time.monotonic()
        while time.monotonic() - since < patience:
            count = self._sink.count()
            if count >= wanted:
                return
            if count > came:
                came, since = count, time.monotonic()
            time.sleep(0.02)
