"""A real browser against a running system.

Debian's chromium, driven by Playwright. Where no browser is installed nothing here is
collected, and one line says so. Every host leads to loopback: a landing page may stand
at `http://shop.test`, and nothing reaches the internet.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from app.config import Settings
from app.local import run
from app.sandbox.serving import running
from app.sandbox.telegram import people
from app.sandbox.telegram.people import Chat, Person
from app.sandbox.telegram.server import BotApiDouble
from tests.support.waiting import PATIENCE, eventually, free_port

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser")
ABSENT: Final = "no chromium here: the browser tests are not run (apt-get install chromium)"
collect_ignore_glob = [] if CHROMIUM else ["test_*.py"]

TOKEN: Final = "7000000001:AAF-token-of-the-tracking-bot"
SERVICE_TOKEN: Final = "7000000003:AAH-token-of-the-service-bot"
BOT: Final = Person(7_000_000_001, "Flowers", username="flowers_bot", is_bot=True)
CHAT: Final = Chat(-1001234567890, "Flower Deals")
#: For one wait: a busy machine may be slow, and a test that hangs should end.
PATIENCE_MS: Final = int(PATIENCE * 1000)
PHONE: Final = (
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/140.0.0.0 Mobile Safari/537.36"
)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say in one line that nothing was tested."""
    if not CHROMIUM:
        terminalreporter.write_line(ABSENT)


@dataclass
class Running:
    """A system with an account `key`, a connected bot and one campaign.

    `bot_api` is the Bot API double; `campaign` is the id and `code` the code of the campaign.
    """

    url: str
    key: str
    bot_api: Any
    bot: int = 0
    campaign: int = 0
    code: str = ""
    embedded: Any = None

    def new_account(self, login: str) -> str:
        """Make an empty account, and return an address that opens its dashboard once."""
        command = [sys.executable, "-m", "flask", "--app", "wsgi", "account", "create"]
        subprocess.run(
            [*command, "--login", login, "--name", login, "--tariff", "tiger"],
            env=dict(self.embedded.environ),
            cwd=run.HOME,
            check=True,
            capture_output=True,
        )
        return str(self.embedded.entry(login))

    def get(self, path: str, **query: Any) -> Any:
        """The data of a call to the API that must succeed."""
        return self._data("GET", path, params=query)

    def post(self, path: str, **body: Any) -> Any:
        """The same for what changes something."""
        return self._data("POST", path, json=body)

    def _data(self, method: str, path: str, **sent: Any) -> Any:
        url, headers = f"{self.url}/api/{path}.json", {"Authorization": f"Bearer {self.key}"}
        answer = requests.request(method, url, headers=headers, timeout=120, **sent).json()
        assert answer["status"] == "ok", answer
        return answer.get("data")


def follow(page: Page, selector: str) -> None:
    """Click on what leads to another page, and wait until that one is there.

    A click alone may return while the old page still stands, and with it what is looked for next.
    """
    with page.expect_navigation():
        page.locator(selector).first.click()


@pytest.fixture(scope="session")
def system() -> Iterator[Running]:
    """The Procfile's processes on SQLite, beside a Bot API double. Shared by all tests."""
    double = BotApiDouble(time_scale=0.1)
    double.add_bot(TOKEN, BOT.username, BOT.first_name)
    double.add_bot(SERVICE_TOKEN, "gatepost_bot")
    ours = {name.upper() for name in Settings.__slots__}
    folder, port = Path(tempfile.mkdtemp(prefix="gp-", dir="/tmp")), free_port()
    with running(double) as bot_api_url:
        environ = {name: text for name, text in os.environ.items() if name not in ours} | {
            "PORT": str(port),
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "SERVICE_BOT_TOKEN": SERVICE_TOKEN,
            "TELEGRAM_API_URL": bot_api_url,
            "OUTBOUND_ALLOW": "127.0.0.0/8",
            "WEB_CONCURRENCY": "1",
            "LOG_LEVEL": "warning",
        }
        with run.running(environ, folder) as embedded:
            system = Running(embedded.url, embedded.key, double, embedded=embedded)
            system.bot = system.post("bots/add", token=TOKEN)["id"]
            double.push(TOKEN, people.bot_rights(CHAT, True, bot=BOT))
            eventually(lambda: system.get("bots/chats", id=system.bot), 30, "the chat")
            campaign = system.post("camp/add", bot=system.bot, chat=CHAT.id)
            system.campaign, system.code = campaign["id"], campaign["code"]
            yield system
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests; each test has a profile of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--host-resolver-rules=MAP * 127.0.0.1",
                # a page of any site may show us in a frame, though we stand at loopback
                "--disable-features=LocalNetworkAccessChecks",
            ],
        )
        yield browser
        browser.close()


@dataclass
class Faults:
    """What the browser complained of: errors of the console and of scripts, and CSP reports.

    A test that expects a complaint waits for it by `expect`; what is left fails it.
    """

    texts: list[str] = field(default_factory=list)
    #: Complaints that this test causes itself, as a pattern.
    allowed: str = "(?!)"
    pages: list[Page] = field(default_factory=list)

    def expect(self, pattern: str) -> None:
        """Wait for a complaint that matches `pattern`; more of the kind may follow it."""

        def has_come() -> bool:
            self.pages[-1].wait_for_timeout(20)  # what the browser says is heard meanwhile
            return any(re.search(pattern, text) for text in self.texts)

        eventually(has_come, 20, f"a complaint like {pattern}")
        self.allowed = f"{self.allowed}|{pattern}"
        self.texts[:] = [text for text in self.texts if not re.search(pattern, text)]

    def watch(self, page: Page) -> None:
        """Collect what goes wrong in `page`."""
        self.pages.append(page)
        page.on("console", lambda line: self._note(line.type == "error", line.text))
        page.on("pageerror", lambda error: self._note(True, str(error)))

    def _note(self, is_fault: bool, text: str) -> None:
        if is_fault and not re.search(self.allowed, text):
            self.texts.append(text)


@pytest.fixture
def faults() -> Iterator[Faults]:
    """What the pages of this test complained of; it must be empty at the end."""
    faults = Faults()
    yield faults
    assert not faults.texts


@pytest.fixture
def new_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """`new_context(locale="ru")`: a fresh profile, with Playwright's options."""
    contexts = []

    def make(**options: Any) -> BrowserContext:
        context = browser.new_context(**{"user_agent": PHONE, **options})
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_context: Callable[..., BrowserContext], faults: Faults) -> Page:
    """An empty page in a fresh profile; its complaints fail the test (see `Faults`)."""
    page = new_context().new_page()
    faults.watch(page)
    return page


@dataclass
class LandingPages:
    """A web server of a customer: `pages[path]` is (HTML, headers).

    `url` names it by loopback's address; `at("shop.test")` by another host.
    """

    port: int
    pages: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)

    def at(self, host: str) -> str:
        """The address of the server under the name `host`."""
        return f"http://{host}:{self.port}"

    def put(self, html: str, path: str = "/", **headers: str) -> None:
        """Show `html` at `path`; underscores in names of headers stand for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.pages[path] = (f"<!doctype html><title>Shop</title>{html}", named)


@pytest.fixture
def landing() -> Iterator[LandingPages]:
    """A running, empty web server for landing pages."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            html, headers = landing.pages.get(self.path.partition("?")[0], ("", {}))
            body = html.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    landing = LandingPages(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield landing
    server.shutdown()
    thread.join(10)
    server.server_close()
