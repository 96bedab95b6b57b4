"""What a campaign's texts are refused or warned for. All kinds in all places:
tests/app/services/trackers/test_typed_addresses.py.
"""

import pytest

from app.errors import BadParameter
from app.services.campaigns import texts


@pytest.fixture(autouse=True)
def _closed(change_settings):
    change_settings(outbound_allow=())


@pytest.mark.parametrize("url", ["not an address", "https://t.example/?c={{click}}"])
def test_a_button_that_opens_nothing_is_refused(url):
    with pytest.raises(BadParameter) as caught:
        texts.check_button(url)
    assert caught.value.field == "button_url"


@pytest.mark.parametrize("url", ["", " https://t.example/#/a?c={click} "])
def test_a_button_may_be_empty_and_may_lead_behind_a_fragment(url):
    texts.check_button(url)


def test_what_is_right_is_not_warned_of():
    assert texts.warnings({}) == []
    assert (
        texts.warnings(
            {
                "welcome": "*Hi* {username}, [go](https://t.example/?c={click}) or [ask](tg://user?id=1)",
                "button_text": "Go",
                "button_url": "https://t.example/?c={click}",
                "urls": {"pb_hold": "https://t.example/?c={click}"},
            }
        )
        == []
    )


def test_each_text_is_named_with_its_doubts():
    found = texts.warnings(
        {
            "welcome": "[go](https://intranet/x) {{click}} *",
            "button_text": "{click}",
            "button_url": "https://192.168.0.1/",
            "urls": {"pb_hold": "https://t.local/?c={click}"},
        }
    )
    assert [warning.split(":")[0] for warning in found] == [
        "pb_hold",
        "welcome",
        "welcome",
        "welcome",
        "button_text",
        "button_url",
    ]
    assert any("Telegram takes no link to 'https://intranet/x'" in warning for warning in found)


@pytest.mark.parametrize("text", ["   ", "\n"])
def test_a_welcome_that_shows_nothing_is_warned_of(text):
    lines = [str(line) for line in texts.warnings({"welcome": text})]
    assert any("nothing that Telegram would show" in line for line in lines)
    assert texts.warnings({"welcome": ""}) == []
