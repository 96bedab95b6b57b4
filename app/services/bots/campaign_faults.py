"""What keeps a campaign from working: the faults of its bot, those of other chats aside."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.services.bots import bots


def with_faults(campaigns: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return campaigns as `campaigns.find` does, each with the `faults` that concern it."""
    usernames = {campaign["bot"]: campaign["bot_username"] for campaign in campaigns}
    shown = bots.shown_faults(usernames)
    return [
        {
            **campaign,
            "faults": [
                fault for fault in shown[campaign["bot"]] if fault.chat_id in (0, campaign["chat"])
            ],
        }
        for campaign in campaigns
    ]
