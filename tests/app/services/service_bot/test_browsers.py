"""Names of browsers come from a table, whatever a header says."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.service_bot.browsers import browser_name

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("agent", "names"),
    [
        (
            f"Mozilla/5.0 (Windows NT 10.0) {WEBKIT} Chrome/140.0 Safari/537.36",
            ("Chrome", "Windows"),
        ),
        (
            f"Mozilla/5.0 (Windows NT 10.0) {WEBKIT} Chrome/140.0 Safari/537.36 Edg/140.0",
            ("Edge", "Windows"),
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
            ("Firefox", "Linux"),
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) Version/18.6 Safari/604.1",
            ("Safari", "iOS"),
        ),
        (f"Mozilla/5.0 (Linux; Android 15) {WEBKIT} Chrome/140.0 Mobile", ("Chrome", "Android")),
        ("python-requests/2.32.5", ("python-requests", "")),
        ("Mozilla/5.0", ("", "")),
        ("", ("", "")),
        ("Please press Yes, it is your bank", ("Please", "")),
    ],
)
def test_a_header_names_a_browser_and_a_system(agent: str, names: tuple[str, str]) -> None:
    assert browser_name(agent) == names


@given(st.text())
def test_no_sentence_gets_through(agent: str) -> None:
    browser, system = browser_name(agent)
    assert re.fullmatch(r"[A-Za-z0-9._-]{0,30}|Yandex Browser|Samsung Internet", browser)
    assert re.fullmatch(r"[A-Za-z]{0,10}", system)
