"""`make screenshots`: the main screens over the demo's data, in var/screenshots.

In both colour schemes, wide and on a phone, and in Russian. The overview also goes to
docs/dashboard.png, which the README shows.
"""

import sys
from typing import Any, Final

from playwright.sync_api import Browser, Page, sync_playwright

from app.local.run import HOME, RunningSystem
from app.sandbox.demo.__main__ import perform
from app.sandbox.demo.output import Output
from tests.browser.conftest import ABSENT, CHROMIUM

FOLDER: Final = HOME / "var" / "screenshots"
PICTURE: Final = HOME / "docs" / "dashboard.png"
#: The picture of the README shows this much of the overview.
PICTURE_SIZE: Final = {"width": 1180, "height": 880}
SCREENS: Final = (
    ("overview", "/"),
    ("campaigns", "/campaigns"),
    ("campaign", "/campaigns/1"),
    ("welcome", "/campaigns/1/welcome"),
    ("postbacks", "/campaigns/1/postbacks"),
    ("link", "/campaigns/1/link"),
    ("desk", "/campaigns/1/desk"),
    ("rules", "/campaigns/1/rules"),
    ("sources", "/sources"),
    ("source", "/sources/1"),
    ("sites", "/sources/sites"),
    ("attribution", "/sources/attribution"),
    ("leads", "/leads"),
    ("lead", "/leads/1"),
    ("requests", "/requests"),
    ("decided", "/requests?tab=decided"),
    ("blocked", "/requests/blocked"),
    ("deliveries", "/deliveries"),
    ("delivery", "/deliveries/1"),
    ("resend", "/deliveries/resend"),
    ("trackers", "/trackers"),
    ("tracker", "/trackers/new/url_template?preset=keitaro"),
    ("statistics", "/statistics"),
    ("ads", "/statistics/ads?by=utm_source&compare=before"),
    ("journal", "/journal"),
    ("bots", "/bots"),
    ("exports", "/exports"),
    ("settings", "/settings"),
    ("transfer", "/settings/transfer"),
)
LOOKS: Final[dict[str, dict[str, Any]]] = {
    "light": {"viewport": {"width": 1280, "height": 900}},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 360, "height": 780}},
}


def main() -> int:
    """Play the demo, and draw what its dashboard shows. Returns the exit status."""
    if not CHROMIUM:
        sys.stderr.write(f"{ABSENT}\n")
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    wrong = perform(Output(sys.stdout), draw)
    sys.stdout.write(f"The screens are in {FOLDER.relative_to(HOME)}.\n")
    return 1 if wrong else 0


def draw(system: RunningSystem) -> None:
    """Draw every screen in every look."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for look, options in LOOKS.items():
            page = _logged_in(browser, system, **options)
            for name, path in SCREENS:
                page.goto(system.url + path)
                page.screenshot(path=FOLDER / f"{name}-{look}.png", full_page=True)
        page = _logged_in(browser, system, viewport=PICTURE_SIZE)
        page.goto(system.url)
        page.screenshot(path=PICTURE)
        page = _logged_in(browser, system, java_script_enabled=False)
        page.goto(f"{system.url}/settings")
        page.select_option("#lang", "ru")
        page.click("form[action='/settings/look'] button")
        for name, path in SCREENS:
            page.goto(system.url + path)
            page.screenshot(path=FOLDER / f"{name}-russian.png", full_page=True)
        browser.close()


def _logged_in(browser: Browser, system: RunningSystem, **options: Any) -> Page:
    page = browser.new_context(**options).new_page()
    page.goto(f"{system.url}/login")
    page.fill("#key", system.key)
    page.click("form[action='/login'] button")
    page.wait_for_url(f"{system.url}/")
    return page


if __name__ == "__main__":
    sys.exit(main())
