"""Fields of auth/*."""

from __future__ import annotations

from app.schemas import fields
from app.schemas.base import Input
from app.services.service_bot.sessions import NONCE


class Poll(Input):
    """The nonce of the login link: 16 to 58 of A-Z a-z 0-9 _ and -."""

    nonce = fields.Text(58, pattern=NONCE, required=True)


class Logout(Input):
    """Which sessions to end."""

    everywhere = fields.Boolean(load_default=False)
