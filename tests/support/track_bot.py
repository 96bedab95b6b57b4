"""A bot of a customer that Telegram knows, and an installation with a public address."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from app.models import Bot

TOKEN: Final = "4242:AAsecret-part_of-the-token"
BASE: Final = "http://127.0.0.1:9"


@pytest.fixture
def telegram(bot_api: Any, change_settings: Callable[..., None]) -> Any:
    """The double, knowing one bot; this installation has a public address."""
    change_settings(public_url=BASE)
    bot_api.add_bot(TOKEN, "trackbot", "Track Bot")
    return bot_api


def noted(bot: Bot) -> str:
    """The address of what is noted, without the kinds of updates."""
    return bot.webhook_url.partition("#")[0]
