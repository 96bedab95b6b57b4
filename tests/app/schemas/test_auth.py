"""A nonce is what a login link of Telegram can carry, and a logout ends one session by default."""

import pytest
from marshmallow import ValidationError

from app.schemas.auth import Logout, Poll


@pytest.mark.parametrize("nonce", ["n" * 16, "n" * 58, "_-Aa0" * 4])
def test_a_nonce_that_fits_a_link_is_taken(nonce):
    assert Poll().load({"nonce": nonce})["nonce"] == nonce


@pytest.mark.parametrize(
    "nonce", ["", "short", "n" * 15, "n" * 59, "n" * 15 + ".", "n" * 15 + "ä", "n" * 16 + "\n", 7]
)
def test_a_nonce_that_telegram_would_not_carry_is_refused(nonce):
    with pytest.raises(ValidationError, match="nonce"):
        Poll().load({"nonce": nonce})


def test_other_sessions_end_only_when_asked():
    assert Logout().load({})["everywhere"] is False
    assert Logout().load({"everywhere": "1"})["everywhere"] is True
