"""The doubles of the vendors, as a person at `python -m app.sandbox` meets them."""

import json
import re
import signal
import subprocess
import sys

import pytest

from app.sandbox.serving import running
from app.sandbox.vendors import catalogue
from plugins.registry import Registry


@pytest.mark.parametrize("vendor", catalogue.every(), ids=lambda one: one.tracker)
def test_each_double_tells_what_it_heard(vendor, session):
    with running(vendor.double) as url:
        session.post(f"{url}/somewhere?a=b", json={"c": "d"})
        session.get(f"{url}/elsewhere")
        first, second = session.get(f"{url}/sandbox/log").json()
    assert (first["method"], first["path"], first["query"]) == ("POST", "/somewhere", {"a": "b"})
    assert first["body"] == {"c": "d"}
    assert first["reply"]["status"]
    assert (second["method"], second["raw"], second["body"]) == ("GET", "", None)


def test_the_command_serves_every_vendor_and_says_how_to_connect_it(session, tmp_path):
    ports = [f"--{name}-port=0" for name in ("bot-api", "tracker", "vendor")]
    command = [sys.executable, "-m", "app.sandbox", *ports, "--state", str(tmp_path / "s.json")]
    known = Registry.load()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            lines = [process.stdout.readline() for _ in range(2 + len(catalogue.every()))]
            for line in lines[2:]:
                url, said = re.fullmatch(r"Vendor double +(\S+) +(\{.*\})\n", line).groups()
                told = json.loads(said)
                assert known.get(told["tracker"]).check_settings(told["settings"])
                assert session.get(f"{url}/sandbox/log").json() == []
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode == 0
