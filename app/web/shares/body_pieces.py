"""Ends a body that comes in far more pieces than its size deserves.

granian (2.8) reads nothing of a body before it is asked to, and then wakes the thread that reads
for every piece: a chunk of the chunked coding, or what the kernel has of a segment. A piece costs
some 5 µs of CPU in all, whether it holds one byte or 64 KB, and within a `read` of many bytes
nobody can stop it. So little is asked for at a time where little is allowed, and a body for which
the thread was woken too often is refused.
"""

import resource
from collections.abc import Callable
from typing import Any, Final

from app.errors import ApiError

#: What is read of a body at once, at most.
CHUNK: Final = 64 * 1024
#: So much is read at once in any case: of a body that says its length, whose pieces are segments
#: that somebody has to send, and of one in the chunked coding, where 170 pieces fit in a segment.
MEASURED: Final = 4 * 1024
UNMEASURED: Final = 1024
#: Pieces for which nobody is blamed, and how many bytes allow one more. The smallest segments that
#: every network carries have 536 (RFC 9293), and waiting for the interpreter counts as well.
FREE: Final = 500
BYTES: Final = 256


class TooManyPieces(ApiError):
    """The body comes in very many small pieces."""

    code = "param"
    default = "the body comes in too many small pieces; send it in larger ones"


def _woken() -> int:
    """How often this thread has waited for something so far; 0 where the system does not tell."""
    thread: int | None = getattr(resource, "RUSAGE_THREAD", None)
    return 0 if thread is None else resource.getrusage(thread).ru_nvcsw


class BodyPieces:
    """Reads one body. `woken` says how often the thread that reads has been woken."""

    __slots__ = ("_left", "_size", "_woken")

    def __init__(self, *, is_measured: bool, woken: Callable[[], int] = _woken) -> None:
        self._size = MEASURED if is_measured else UNMEASURED
        self._left = FREE
        self._woken = woken

    def read(self, source: Any, size: int) -> bytes:
        """Read at most `size` bytes, often fewer; none at the end. Raises TooManyPieces."""
        before = self._woken()
        data: bytes = source.read(min(size, CHUNK, max(self._size, self._left)))
        self._left += len(data) // BYTES - (self._woken() - before)
        if self._left < 0:
            raise TooManyPieces
        return data
