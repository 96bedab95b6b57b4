"""Which browser and which system a User-Agent header names. Pure.

Whoever sends the header writes it. So nothing of it is shown but names from a table, or
the first product's name as plain letters: no sentence can be slipped into a message.
"""

import re
from typing import Final, NamedTuple

#: In this order: most browsers also name those that they descend from.
_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("YaBrowser/", "Yandex Browser"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iOS"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
_PRODUCT: Final = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,29}")


class BrowserName(NamedTuple):
    """The names of a browser and of its system, without versions; "" for what is unknown."""

    browser: str
    system: str


def browser_name(agent: str) -> BrowserName:
    """Name the browser of a User-Agent header."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    if not browser and (product := _PRODUCT.match(agent)) and product[0] != "Mozilla":
        browser = product[0]
    return BrowserName(browser, system)
