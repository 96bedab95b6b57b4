"""Journeys run the Procfile's processes: nothing is in the test's own process but the doubles."""

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.sandbox.serving import running
from app.sandbox.telegram.server import BotApiDouble
from app.sandbox.vendors.tracker import TrackerDouble
from tests.journeys.system import System
from tests.support import ROOT

SECRET_KEY = "the operator's secret in all journeys"


@pytest.fixture(scope="module")
def bot_api() -> Iterator[Any]:
    """A running Bot API double at `.url`."""
    double = BotApiDouble(time_scale=0.1)
    with running(double) as url:
        double.url = url  # type: ignore[attr-defined]
        yield double


@pytest.fixture(scope="module")
def tracker() -> Iterator[Any]:
    """A running tracker double at `.url`."""
    double = TrackerDouble()
    with running(double) as url:
        double.url = url  # type: ignore[attr-defined]
        yield double


@pytest.fixture(scope="module")
def start_system(new_database: Any, bot_api: Any) -> Iterator[Callable[..., System]]:
    """`start_system("postgresql", LEASE_SECONDS="2")`: a running System, ended with the module."""
    with contextlib.ExitStack() as stack:

        def start(
            kind: str,
            *,
            worker: str = "",
            root: Path = ROOT,
            database_password: str = "",
            **environ: str,
        ) -> System:
            folder = Path(tempfile.mkdtemp(prefix="gp-", dir="/tmp"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            url = new_database(kind).url
            environ = {
                "DATABASE_URL": url.replace(":@", f":{database_password}@"),
                "SECRET_KEY": SECRET_KEY,
                "TELEGRAM_API_URL": bot_api.url,
                "CRASH_FOLDER": str(folder),
                **environ,
            }
            system = System(folder, environ, bot_api, worker=worker, root=root)
            return stack.enter_context(system.running())

        yield start


@pytest.fixture(scope="module")
def key(system: System) -> str:
    """The API key of an account of the module's `system`."""
    return system.account("owner")
