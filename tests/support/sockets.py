"""Reading from plain sockets."""

import socket
from typing import Final

_PIECE: Final = 65_536


def read_to_end(link: socket.socket, most: int = 1 << 20) -> bytes:
    """Read until the other side closes; return the first `most` bytes.

    A server may send the head of an answer and its body in two pieces, so that
    one `recv` is not an answer.
    """
    answer = bytearray()
    while piece := link.recv(_PIECE):
        answer += piece[: most - len(answer)]
    return bytes(answer)
