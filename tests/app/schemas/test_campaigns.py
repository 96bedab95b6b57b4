"""What camp/add and camp/edit take, and how the templates reach the service."""

import pytest
from marshmallow import ValidationError

from app.schemas.campaigns import CampaignAdd, CampaignDetail, CampaignEdit, CampaignOut

URL = "https://t.example/?c={click}"


def test_templates_are_gathered_and_only_where_one_is_sent():
    loaded = CampaignEdit().load({"id": 1, "pb_wait": URL, "pb_trash": "", "welcome": "hi"})
    assert loaded == {"id": 1, "welcome": "hi", "urls": {"pb_wait": URL, "pb_trash": ""}}
    assert CampaignEdit().load({"id": 1}) == {"id": 1}


def test_a_new_campaign_has_a_bot_and_a_chat_and_no_id_yet():
    assert CampaignAdd().load({"id": 5, "bot": 1, "chat": -100}) == {"bot": 1, "chat": -100}
    with pytest.raises(ValidationError) as caught:
        CampaignAdd().load({"id": 5})
    assert set(caught.value.messages_dict) == {"bot", "chat"}


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("welcome", "x" * 4096, "x" * 4097),
        ("button_text", "x" * 64, "x" * 65),
        ("button_url", "x" * 2048, "x" * 2049),
        ("media", "img_A-9", "img.png"),
        ("unsub_window", 0, -1),
        ("notify_level", 3, 4),
        ("pb_hold", "x" * 2048, "x" * 2049),
    ],
)
def test_each_setting_has_its_bound(field, good, bad):
    assert CampaignEdit().load({"id": 1, field: good})
    with pytest.raises(ValidationError) as caught:
        CampaignEdit().load({"id": 1, field: bad})
    assert list(caught.value.messages_dict) == [field]


def test_one_campaign_shows_all_that_the_list_shows():
    assert set(CampaignOut().fields) < set(CampaignDetail().fields)
    shown = CampaignDetail().dump({"id": 1, "created": 0, "token": "s3cret"})
    assert shown == {"id": 1, "created": "0000-00-00 00:00:00"}
