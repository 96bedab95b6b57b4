"""`make run SANDBOX=1` has the sandbox in the place of Telegram, and a home of its own."""

import os
import subprocess

from app.config import Settings
from app.local.run import HOME
from app.sandbox.rehearsal import environment


def test_the_sandbox_stands_for_telegram_and_nothing_of_the_real_one_is_touched():
    real = {
        "DATABASE_URL": "postgresql://real/gatepost",
        "PUBLIC_URL": "https://real.example",
        "SERVICE_BOT_TOKEN": "5:AA-real",
        "TELEGRAM_CLIENT_ID": "5",
        "MEDIA_STORE": "https://real.example/bucket",
        "GRANIAN_HOST": "0.0.0.0",
        "PATH": "/bin",
        "PORT": "9000",
    }
    environ = environment(real, "http://127.0.0.1:8081")
    kept = {"SECRET_KEY": "s" * 16, "REDIS_URL": "redis://127.0.0.1:1"}
    settings = Settings.from_environment({**environ, **kept})
    assert settings.telegram_api_url == "http://127.0.0.1:8081"
    assert settings.telegram_link_url == "http://127.0.0.1:8081/t.me"
    assert (settings.port, settings.public_url, settings.service_bot_token) == (9000, "", "")
    assert "real" not in "".join(map(str, environ.values()))
    assert (environ["GRANIAN_HOST"], environ["PATH"]) == ("127.0.0.1", "/bin")


def test_a_run_is_a_rehearsal_only_if_that_is_said():
    for said, program in (("", "app.local.run"), ("SANDBOX=0", "app.local.run"),
                          ("SANDBOX=1", "app.sandbox.rehearsal")):  # fmt: skip
        shown = subprocess.run(
            ["make", "--dry-run", "--old-file=.venv/.embedded", "run", *said.split()],
            cwd=HOME, capture_output=True, text=True, check=True,
            env={name: text for name, text in os.environ.items() if name != "SANDBOX"},
        ).stdout  # fmt: skip
        assert f"-m {program}\n" in shown, said
