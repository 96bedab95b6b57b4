"""What libcurl has received of one answer: its head and at most so many bytes of its body."""

from __future__ import annotations

from typing import Final

MAX_HEAD: Final = 64 * 1024  # bytes of headers, trailers and interim answers
MAX_LINES: Final = 256


class Reception:
    """Takes an answer piece by piece, and stops libcurl when there is too much.

    `is_cut`: the body is longer than `max_body` bytes, of which the first are kept.
    `is_flooded`: the head is too large, and the answer is of no use.
    """

    def __init__(self, max_body: int) -> None:
        self._max_body = max_body
        self.clear()

    def clear(self) -> None:
        """Make ready for the next answer."""
        self.body = bytearray()
        self.head: list[bytes] = []
        self._head_size = 0
        self.is_cut = False
        self.is_flooded = False

    # What libcurl calls. Neither may raise; -1 makes it drop the connection.

    def on_header(self, line: bytes) -> int | None:
        """Take a line of the head."""
        self._head_size += len(line)
        if self._head_size > MAX_HEAD or len(self.head) >= MAX_LINES:
            self.is_flooded = True
            return -1
        self.head.append(line)
        return None

    def on_body(self, chunk: bytes) -> int | None:
        """Take a piece of the body."""
        room = self._max_body - len(self.body)
        if len(chunk) > room:
            self.body += chunk[:room]
            self.is_cut = True
            return -1
        self.body += chunk
        return None
