"""Fields of auth/*."""

from app.schemas import fields
from app.schemas.base import Input, Output
from app.services.accounts.accounts import LANGUAGES
from app.services.service_bot.logins import NONCE


class LoginStart(Input):
    """In which language the page speaks."""

    lang = fields.Choice(*LANGUAGES, load_default="en")


class StartedLoginOut(Output):
    """`auth/start`. `text` is what the bot will say of the page: show it beside the link."""

    nonce = fields.Text()
    link = fields.Text()
    text = fields.Text()


class Poll(Input):
    """The nonce of the login link: 16 to 58 of A-Z a-z 0-9 _ and -."""

    nonce = fields.Text(58, pattern=NONCE, required=True)


class Logout(Input):
    """Which sessions to end."""

    everywhere = fields.Boolean(load_default=False)
