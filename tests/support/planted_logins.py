"""Logs in to a running installation as browsers do, and tells what was secret of it."""

import base64
import re
from typing import Final
from urllib.parse import parse_qs, urlsplit

import requests

CLIENT: Final = {
    "TELEGRAM_CLIENT_ID": "401",
    "TELEGRAM_CLIENT_SECRET": "Sk96Qz9-secret-of-the-login-client",
}
CODE: Final = "Sk97Qz9-code-of-a-login"


class PlantedLogins:
    """A session of the dashboard and a login at Telegram, at the installation behind `url`."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self._browser = requests.Session()
        self._begin("/login", key=key)
        self.session = self._cookie("gatepost")
        self._leaving = requests.Session()
        page = self._begin("/login/oidc", self._leaving)
        address = re.search(r'href="(http[^"]+/auth\?[^"]+)"', page)
        assert address, page[-1000:]
        self._asked = parse_qs(urlsplit(address[1].replace("&amp;", "&")).query)

    def look(self) -> None:
        """Look at pages, call the API and come back from Telegram, whatever is answered."""
        for path in ("/", "/leads", "/account"):
            self._browser.get(self.url + path, timeout=30)
        headers = {"Authorization": f"Bearer {self.session}"}
        for path in ("profile/info", "leads/list"):
            requests.get(f"{self.url}/api/{path}.json", headers=headers, timeout=30)
        terms = {"state": self._asked["state"][0], "code": CODE}
        cookies = requests.utils.dict_from_cookiejar(self._leaving.cookies)
        requests.get(f"{self.url}/login/oidc/back", params=terms, cookies=cookies, timeout=30)

    def secrets(self) -> dict[str, list[str]]:
        """What must be found nowhere, by kind."""
        client, secret = CLIENT.values()
        basic = base64.b64encode(f"{client}:{secret}".encode()).decode()
        cookies = requests.utils.dict_from_cookiejar(self._leaving.cookies)
        return {
            "session": [self.session, self.session.partition("_")[2]],
            "the login client's secret": [secret, secret[:7], basic.rstrip("=")],
            "a login's code": [CODE, CODE[:7]],
            "what ties a login to its browser": [
                value for name, value in cookies.items() if value and name != "lang"
            ],
        }

    def _begin(self, path: str, browser: requests.Session | None = None, **values: str) -> str:
        browser = browser or self._browser
        page = browser.get(f"{self.url}/login", timeout=30).text
        token = re.search(r'name="csrf" value="([^"]+)"', page)
        assert token, page[-1000:]
        form = {"csrf": token[1], "next": "/", **values}
        answer = browser.post(
            self.url + path, data=form, headers={"Origin": self.url}, timeout=30,
            allow_redirects=False,
        )  # fmt: skip
        assert answer.status_code in (200, 303), answer.text[-1000:]
        return answer.text

    def _cookie(self, name: str) -> str:
        found = [cookie.value for cookie in self._browser.cookies if cookie.name.endswith(name)]
        assert found, list(self._browser.cookies)
        return str(found[0])
