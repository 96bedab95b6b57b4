"""`python -m tests.journeys.attacker`: one request again and again over many connections at once.

It is a process of its own with the lowest priority: what a stranger's own machine works is not
taken from the one that is attacked. It reads
a JSON object from stdin (`port`, `count`, `request` in base64), says `ready`, and goes on until
stdin ends. A client that is told to wait waits, as clients do that want an answer.
"""

import base64
import contextlib
import json
import os
import socket
import sys
import threading
import time

from tests.support.sockets import read_to_end

_over = threading.Event()


def send(port: int, request: bytes) -> bytes:
    """Send one request by a connection of its own; the beginning of the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=120) as link:
        link.sendall(request)
        return read_to_end(link, most=65_536)


def send_for_ever(port: int, request: bytes) -> None:
    """Send it until the process is told to end."""
    while not _over.is_set():
        with contextlib.suppress(OSError):
            if b'"rate"' in send(port, request):
                _over.wait(1)


def main() -> None:
    """Attack until stdin ends."""
    os.nice(19)
    attack = json.loads(sys.stdin.readline())
    request = base64.b64decode(attack["request"])
    for _ in range(attack["count"]):
        threading.Thread(target=send_for_ever, args=(attack["port"], request), daemon=True).start()
    time.sleep(1)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()
    _over.set()


if __name__ == "__main__":
    main()
