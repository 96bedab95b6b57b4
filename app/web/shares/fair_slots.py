"""Slots that client addresses share: none takes all, and whoever waits waits for no crowd.

Of the slots an address may have as many as it leaves free, and always one: alone six of twelve.
Those who wait are served address by address in turn, so that the first request of an address
waits for one slot, and not for all that another address has sent before.
"""

import threading
from collections import Counter, OrderedDict, deque


class FairSlots:
    """`count` slots. A crowd behind one address has half of them, which keeps a process busy."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._held: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[threading.Lock]] = OrderedDict()
        self._lock = threading.Lock()

    def acquire(self, address: str) -> None:
        """Return with a slot for a request of `address`."""
        with self._lock:
            if address not in self._waiting and self._has_room(address):
                self._hand_out(address)
                return
            gate = threading.Lock()
            gate.acquire()
            self._waiting.setdefault(address, deque()).append(gate)
        gate.acquire()  # opens with the slot

    def release(self, address: str) -> None:
        """Give a slot back that was taken for `address`."""
        with self._lock:
            self._free += 1
            self._held[address] -= 1
            if not self._held[address]:
                del self._held[address]
            while (following := self._following()) is not None:
                gates = self._waiting[following]
                gate = gates.popleft()
                self._waiting.move_to_end(following)
                if not gates:
                    del self._waiting[following]
                self._hand_out(following)
                gate.release()

    def _following(self) -> str | None:
        """The address whose turn it is; at most as many as there are slots have no room."""
        return next(filter(self._has_room, self._waiting), None) if self._free else None

    def _has_room(self, address: str) -> bool:
        return self._free > 0 and (self._held[address] < self._free or not self._held[address])

    def _hand_out(self, address: str) -> None:
        self._free -= 1
        self._held[address] += 1


class ThreadShares:
    """Places in a process, `most` in all: an address may have twice as many as are left free."""

    def __init__(self, most: int) -> None:
        self._most = self._free = most
        self._held: Counter[str] = Counter()
        self._lock = threading.Lock()

    def enter(self, address: str) -> bool:
        """Count a request of `address`, which then has to leave. Whether there was room for it."""
        with self._lock:
            has_room = self._held[address] < 2 * self._free
            self._free -= 1
            self._held[address] += 1
            return has_room

    def leave(self, address: str) -> None:
        """Count a request of `address` no more."""
        with self._lock:
            self._free += 1
            self._held[address] -= 1
            if not self._held[address]:
                del self._held[address]
