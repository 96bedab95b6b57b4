"""What is told of sessions and keys names the page, and can be taken back."""

import pytest

from app.models import NoticeKind
from app.services.service_bot import security_text
from app.translations import use_language

PAGE = {"agent": "Mozilla/5.0 (X11; Linux) Firefox/143.0", "address": "203.0.113.5", "shown": 0}


@pytest.fixture(autouse=True)
def english(app):
    with use_language("en"):
        yield


@pytest.mark.parametrize(
    ("kind", "about", "text"),
    [
        (
            NoticeKind.SESSION,
            PAGE,
            (
                "A page has logged in to your account. The login page was opened with Firefox on "
                "Linux from the address 203.0.113.5 at 1970-01-01 00:00 UTC."
            ),
        ),
        (
            NoticeKind.SESSION,
            {**PAGE, "opened_by": "key", "count": 3, "login": None},
            (
                "Your API key has opened the dashboard with Firefox on Linux from the address "
                "203.0.113.5 at 1970-01-01 00:00 UTC; sessions by the key that are open: 3. If it "
                "was not you, replace the key in the settings: that ends them."
            ),
        ),
        (
            NoticeKind.SESSION,
            {**PAGE, "opened_by": "link"},
            (
                "A link of the operator's has opened your dashboard with Firefox on Linux from the "
                "address 203.0.113.5 at 1970-01-01 00:00 UTC."
            ),
        ),
        (
            NoticeKind.KEY,
            {"at": 60.0},
            (
                "Your API key was replaced at 1970-01-01 00:01 UTC. "
                "The one before does not work any more."
            ),
        ),
    ],
)
def test_a_notice_says_what_happened_and_when(kind, about, text):
    assert security_text.describe(kind, about) == text


def test_each_login_has_one_button_and_an_operators_key_none():
    rows = security_text.buttons([{"login": 5}, {"login": 7}, {"login": 5}, {"login": None}, {}])
    assert [row[0]["callback_data"] for row in rows] == ["undo:5", "undo:7"]
