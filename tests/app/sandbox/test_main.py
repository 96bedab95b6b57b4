"""`python -m app.sandbox` as a person meets it: commands in, what the bot said out."""

import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import requests

from tests.app.sandbox.conftest import TOKEN


def command(state: Path) -> list[str]:
    ports = [f"--{name}-port=0" for name in ("bot-api", "tracker", "vendor")]
    return [sys.executable, "-m", "app.sandbox", *ports, "--bot", TOKEN, "--state", str(state)]


def played(state: Path, *lines: str) -> str:
    done = subprocess.run(
        command(state), input="\n".join([*lines, "quit", ""]), capture_output=True, text=True,
        timeout=400, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout


def test_ids_go_on_after_a_restart_and_chats_are_as_they_were(tmp_path):
    state = tmp_path / "sandbox.json"
    first = played(state, "admin News", "start Ann", "who")
    second = played(state, "start Ann", "who")
    numbers = [int(number) for number in re.findall(r"update (\d+)", first + second)]
    assert numbers == list(range(numbers[0], numbers[0] + 3))
    assert "News (channel, " in second


def test_no_id_comes_again_after_a_kill(tmp_path):
    state, numbers = tmp_path / "sandbox.json", []
    for _ in range(2):
        with subprocess.Popen(
            command(state), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            process.stdin.write("start Ann\n")
            process.stdin.flush()
            while not (match := re.match(r"update (\d+)", process.stdout.readline())):
                pass
            numbers.append(int(match[1]))
            process.kill()
    assert numbers[1] > numbers[0]


def test_the_end_of_a_pipe_stops_nothing(tmp_path):
    with subprocess.Popen(
        command(tmp_path / "s.json"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        url = re.search(r"http\S+", process.stdout.readline())[0]
        process.stdin.close()
        process.stdin = None
        answer = requests.post(
            f"{url}/bot{TOKEN}/sendMessage", json={"chat_id": 77, "text": "Hello"}, timeout=30
        )
        assert answer.ok
        while "the bot to 77: Hello" not in (line := process.stdout.readline()):
            assert line
        process.send_signal(signal.SIGTERM)
    assert process.returncode == 0


def test_a_state_that_cannot_be_read_ends_it_in_one_line(tmp_path):
    state = tmp_path / "s.json"
    state.write_text("no json")
    done = subprocess.run(command(state), capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert str(state) in done.stderr


def test_at_a_terminal_there_is_a_prompt_and_its_end_stops_the_sandbox(tmp_path):
    ours, theirs = pty.openpty()
    opened_by_the_shell = ["sh", "-c", 'exec "$@" <"$0" >"$0" 2>&1', os.ttyname(theirs)]
    with subprocess.Popen(
        [*opened_by_the_shell, *command(tmp_path / "s.json")],
        start_new_session=True,
        env={**os.environ, "NO_COLOR": ""},
    ) as process:
        seen = read_until(ours, "> ")
        os.close(theirs)  # not before: a terminal that nobody holds open is gone
        url = re.search(r"http\S+", seen)[0]
        body = {"chat_id": 77, "text": "Hello"}
        requests.post(f"{url}/bot{TOKEN}/sendMessage", json=body, timeout=30)
        said = read_until(ours, "Hello", "> ")
        assert "\r\x1b[32m  the bot to 77: Hello\x1b[0m" in said
        os.write(ours, b"start Ann\n")
        assert "update " in read_until(ours, "update ", "> ")
        os.write(ours, b"\x04")  # Ctrl-D
        assert process.wait(60) == 0
    os.close(ours)


def read_until(terminal: int, *words: str) -> str:
    """Return what a terminal shows until all words came, in their order."""
    seen, begin = "", 0
    for word in words:
        while (found := seen.find(word, begin)) < 0:
            seen += os.read(terminal, 65536).decode()
        begin = found + len(word)
    return seen
