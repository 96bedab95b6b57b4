"""The public API and the links of ads over HTTP, as the demo's people and their owner use them."""

from typing import Any

import requests


class DemoFailed(Exception):
    """The demo cannot go on; the text says why."""


class Api:
    """The public API over HTTP, as any client calls it. Raises DemoFailed for an error."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {key}"
        self._casino = ""  # the address at which a casino's server tells of deposits

    def get(self, path: str, **query: Any) -> Any:
        """Read. Raises DemoFailed for an error."""
        return self._data(path, self._session.get(self._at(path), params=query, timeout=30))

    def post(self, path: str, **body: Any) -> Any:
        """Write. Raises DemoFailed for an error."""
        return self._data(path, self._session.post(self._at(path), json=body, timeout=30))

    def make_ad(self, campaign: int) -> str:
        """Make a source whose clicks get invite links, and return its link for ads."""
        source = self.post("sources/add", campaign=campaign, title="An ad", mode="invite")
        return f"{self._url}/c/{source['code']}"

    def open_ad(self, link: str) -> str:
        """Open the link of an ad as a browser does, and return where it leads."""
        browser = {"User-Agent": "Mozilla/5.0", "Authorization": ""}
        answer = self._session.get(link, headers=browser, allow_redirects=False, timeout=30)
        return answer.headers.get("Location", "")

    def connect_casino(self, campaign: int, template: str) -> None:
        """Make a key for a casino's server, and let the tracker hear of deposits."""
        settings = {"urls": {"purchase": template}}
        self.post(
            "dest/add", tracker="url_template", campaign=campaign, title="Deposits",
            settings=settings, events=["purchase"],
        )  # fmt: skip
        made = self.post("eventkeys/add", title="Casino", campaign=campaign, currency="USD")
        self._casino = f"{self._url}/in/{made['key']}"

    def deposit(self, click: str) -> None:
        """Tell of a deposit as the casino's server does, which knows the click id only.

        Raises DemoFailed if it is not taken.
        """
        params = {"event": "deposit", "click": click, "value": "49.50", "tid": f"{click}-1"}
        answer = self._session.get(
            self._casino, params=params, headers={"Authorization": ""}, timeout=30
        )
        if not answer.ok:
            raise DemoFailed(f"the deposit was answered {answer.status_code}: {answer.text}")

    def close(self) -> None:
        """Close its connections."""
        self._session.close()

    def _at(self, path: str) -> str:
        return f"{self._url}/api/{path}.json"

    @staticmethod
    def _data(path: str, answer: requests.Response) -> Any:
        content = answer.json()
        if content["status"] != "ok":
            message = content.get("message", "")
            raise DemoFailed(f"{path} answered {content['error']}: {message}")
        return content.get("data")
