"""The API keeps its contract, whoever calls it with whatever."""

import subprocess
import sys
from pathlib import Path

import pytest

from app.services.accounts import rate_limits
from app.web.openapi.document import describe
from tests.support.plain_http import DOCUMENT, PlainHttp, serving

TOOL = str(Path(sys.executable).with_name("schemathesis"))
CONFIG = Path(__file__).with_name("schemathesis.toml")
#: They would end the run's own key. test_profile and test_auth call them.
FAREWELLS = ("/api/profile/apikey.json", "/api/auth/logout.json")


@pytest.fixture
def no_limits(monkeypatch):
    for limit in (
        rate_limits.AUTHENTICATED,
        rate_limits.ANONYMOUS,
        rate_limits.OUTBOUND,
        rate_limits.TESTS,
        rate_limits.RESENDS,
        rate_limits.DECISIONS,
    ):
        monkeypatch.setattr(limit, "burst", 1_000_000)


@pytest.mark.timeout(300)
def test_schemathesis_finds_nothing(live_app, account, world, bot_api, no_limits):
    world.lead(world.campaign())
    away = [part for path in FAREWELLS for part in ("--exclude-path", path)]
    with serving(PlainHttp(live_app, describe(live_app))) as url:
        run = subprocess.run(
            [
                *(TOOL, "--config-file", str(CONFIG)),
                *("run", f"{url}{DOCUMENT}", "--checks", "all", *away),
                *("--header", f"Authorization: Bearer {account.key}", "--no-color"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-2000:]
