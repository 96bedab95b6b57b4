"""What libcurl has received of one answer: its head and at most so many bytes of its body."""

from typing import Final

MAX_HEAD: Final = 64 * 1024  # bytes of headers, trailers and interim answers
MAX_LINES: Final = 256
MAX_BLANK: Final = 1024 * 1024  # bytes of white space before an answer
#: How often libcurl goes on with an exchange of which nothing is left over for us: seven times
#: where nobody answers, some hundred times where a head comes in drops. What it drops, such as
#: extensions of chunks, comes in pieces of 40 KB.
MOST_STANDSTILLS: Final = 512
#: White space and byte order marks, in every charset.
_BLANK: Final = b" \t\r\n\f\v\0\xef\xbb\xbf\xff\xfe"


class Reception:
    """Takes an answer piece by piece, and stops libcurl when there is too much.

    `is_cut`: the body is longer than `max_body` bytes, of which the first are kept. White
    space before it does not count, or an answer could stand behind more than is kept.
    `is_flooded`: the head is too large, and the answer is of no use. `is_endless`: so it is
    because libcurl drops all that comes.
    """

    def __init__(self, max_body: int) -> None:
        self._max_body = max_body
        self.clear()

    def clear(self) -> None:
        """Make ready for the next answer."""
        self.body = bytearray()
        self.head: list[bytes] = []
        self._head_size = self._moved = self._standstills = 0
        self._blank_size = 0
        self.is_cut = False
        self.is_flooded = False

    @property
    def is_endless(self) -> bool:
        """Whether there is no end to what is neither head nor body."""
        return self._standstills > MOST_STANDSTILLS

    # What libcurl calls. None may raise; -1 makes it drop the connection.

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
        if len(chunk) > room and not self.body.strip(_BLANK):
            text = chunk.lstrip(_BLANK)
            self._blank_size += len(self.body) + len(chunk) - len(text)
            if not text:
                self.body = bytearray(self._max_body * b" ")
                self.is_cut = self._blank_size > MAX_BLANK
                return -1 if self.is_cut else None
            self.body.clear()
            chunk, room = text, self._max_body
        if len(chunk) > room:
            self.body += chunk[:room]
            self.is_cut = True
            return -1
        self.body += chunk
        return None

    def on_progress(self, _all: int, received: int, _all_sent: int, sent: int) -> int:
        """Take how many bytes of both bodies have passed; 1 makes it drop the connection."""
        if received + sent != self._moved:
            self._moved, self._standstills = received + sent, 0
        else:
            self._standstills += 1
        return int(self.is_endless)
