"""One place in Telegram under its three addresses."""

import pytest

from app.domain.clicks.telegram_addresses import of_link


@pytest.mark.parametrize(
    ("link", "app"),
    [
        ("https://t.me/track_bot?start=c1_abc", "tg://resolve?domain=track_bot&start=c1_abc"),
        ("https://t.me/track_bot", "tg://resolve?domain=track_bot"),
        ("https://t.me/+AbC-_9", "tg://join?invite=AbC-_9"),
        ("https://t.me/joinchat/AbC-_9", "tg://join?invite=AbC-_9"),
        ("https://t.me/a&b", "tg://resolve?domain=a%26b"),
    ],
)
def test_the_app_is_opened_at_the_same_place(link, app):
    addresses = of_link(link)
    assert (addresses.web, addresses.app) == (link, app)
    assert addresses.spare == link.replace("t.me", "telegram.me")
