"""A browser at the dashboard: it keeps cookies, says where it comes from, and sends forms."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

TOKEN = re.compile(r'name="csrf" value="([^"]+)"')
OWN = {"Sec-Fetch-Site": "same-origin"}


class Browser:
    """Opens pages and sends the forms that they show."""

    def __init__(self, app: Flask) -> None:
        self._client = app.test_client()
        self._token = ""

    def get(self, path: str, **headers: str) -> TestResponse:
        response = self._client.get(path, headers={**OWN, **_named(headers)})
        if found := TOKEN.search(response.get_data(as_text=True)):
            self._token = found[1]
        return response

    def page(self, path: str, status: int = 200) -> str:
        """The text of a page."""
        response = self.get(path)
        text = response.get_data(as_text=True)
        assert response.status_code == status, (path, response.status_code, text[:2000])
        return text

    def post(self, path: str, /, **values: Any) -> TestResponse:
        """Send a form with the token of the page that was opened last."""
        return self.send(path, {"csrf": self._token, **values}, OWN)

    def send(
        self, path: str, values: dict[str, Any] | str, headers: dict[str, str]
    ) -> TestResponse:
        """Send anything, as an attacker might make a browser do."""
        return self._client.post(path, data=values, headers=headers)

    def done(self, path: str, /, **values: Any) -> str:
        """Send a form that works, and return the page that it leads to."""
        response = self.post(path, **values)
        text = response.get_data(as_text=True)
        assert response.status_code == 303, (path, response.status_code, text[-3000:])
        return self.page(response.headers["Location"])

    def refused(self, path: str, /, **values: Any) -> str:
        """Send a form that is refused, and return the page that says why."""
        response = self.post(path, **values)
        text = response.get_data(as_text=True)
        assert response.status_code == 422, (path, response.status_code, text[-3000:])
        return text

    def log_in(self, key: str) -> Browser:
        self.get("/login")
        response = self.post("/login", key=key)
        assert response.status_code == 303, response.get_data(as_text=True)
        self.get("/login")
        return self

    def cookie(self, name: str = "gatepost") -> str:
        cookie = self._client.get_cookie(name)
        return cookie.value if cookie else ""

    def set_cookie(self, value: str, name: str = "gatepost") -> None:
        self._client.set_cookie(name, value)

    @property
    def token(self) -> str:
        return self._token


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.fixture
def make_browser(app: Flask) -> Callable[[], Browser]:
    """`make_browser()`: one that nobody is logged in with."""
    return lambda: Browser(app)


@pytest.fixture
def browser(make_browser: Callable[[], Browser], account: Any) -> Browser:
    """One in which `account` is logged in."""
    browser = make_browser().log_in(account.key)
    browser.page("/bots")
    return browser


class _Texts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on") or name == "style"], attrs


def tags(page: str) -> list[str]:
    """The names of all elements of a page, which has no handlers and no styles of its own."""
    parser = _Texts()
    parser.feed(page)
    return parser.tags


def text_of(page: str) -> str:
    """The words of a page, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())
