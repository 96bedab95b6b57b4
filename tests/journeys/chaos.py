"""Kills parts of a running system, as machines and platforms do."""

import contextlib
import random
import time

import psutil

from tests.journeys.system import System
from tests.support.waiting import eventually


class Chaos:
    """Kills things, at random, and starts again what no supervisor would."""

    def __init__(self, system: System, chance: random.Random) -> None:
        self._system = system
        self._chance = chance
        self.kills: list[str] = []

    def strike(self, target: str) -> None:
        """`web` and `worker` lose all processes, `supervisor` leaves its own behind."""
        getattr(self, f"_{target}")()
        self.kills.append(target)

    def _worker_child(self) -> None:
        self._one_of("worker")

    def _web_child(self) -> None:
        self._one_of("web")

    def _one_of(self, name: str) -> None:
        living: list[psutil.Process] = []  # as seen once: they also die by themselves
        eventually(lambda: living.extend(self._living(name)) or living, 60, name)
        with contextlib.suppress(psutil.NoSuchProcess):
            self._chance.choice(living).kill()

    def _living(self, name: str) -> list[psutil.Process]:
        """The children of a process; it is started again, as a platform does, if it has ended.

        granian ends once its children die more quickly than it respawns them.
        """
        if self._system.processes[name].poll() is not None:
            self._system.start(name)
        return self._system.children(name)

    def _worker(self) -> None:
        self._system.kill("worker")
        self._system.start("worker")

    def _web(self) -> None:
        self._system.kill("web")
        self._system.start("web")

    def _supervisor(self) -> None:
        process = self._system.processes["worker"]
        process.kill()
        process.wait()
        self._system.start("worker")

    def _redis(self) -> None:
        self._system.redis.stop(kill=True)
        time.sleep(self._chance.uniform(0, 0.5))
        self._system.redis.start()
