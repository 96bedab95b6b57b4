"""`python -m tests.journeys.bystander`: answers at once, and has nothing else to do.

What its answers take longer while something goes on is what the machine's cores have less to
give. It writes its port to stdout, and ends when stdin does.
"""

import socket
import sys
import threading


def main() -> None:
    """Answer until stdin ends."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        threading.Thread(target=answer, args=(listener,), daemon=True).start()
        sys.stdin.read()


def answer(listener: socket.socket) -> None:
    """Say one word to each who has said something."""
    while True:
        link, _ = listener.accept()
        with link:
            link.recv(4096)
            link.sendall(b"here")


if __name__ == "__main__":
    main()
