"""What can go wrong, with the code the public API gives it. Pure."""

from typing import ClassVar, Self

from plugins.contract import TranslatableText
from plugins.contract import translatable as translatable  # noqa: PLC0414 - for the whole app


class ApiError(Exception):
    """Base of all errors that the API answers.

    `message` is for people: text of `translatable` is shown in the language of the
    account, any other as it is. `lang` is the language of a caller who is known but
    not let in.
    """

    code: ClassVar[str] = "server"
    default: ClassVar[str] = "something went wrong on our side"
    lang: str | None = None

    def __init__(self, message: str = "", **extra: object) -> None:
        self.message = message or TranslatableText(self.default)
        super().__init__(self.message)
        self.extra = extra

    @classmethod
    def wrapping(cls, reason: str) -> Self:
        """Return the error with `reason`, such as a tracker's answer, after its own message."""
        message = TranslatableText(cls.default)
        return cls(translatable("%(message)s: %(reason)s", message=message, reason=reason))

    def as_body(self, message: str) -> dict[str, object]:
        """Return what the API answers; `message` is this error's in the caller's language."""
        return {"status": "error", "error": self.code, "message": message, **self.extra}

    def in_language(self, lang: str) -> Self:
        """Return the same error; its message is shown in `lang`, whoever seems to call."""
        self.lang = lang
        return self


class BadKey(ApiError):
    """No key, or a wrong one."""

    code = "key"
    default = "the API key is missing or wrong"


class MissingKey(BadKey):
    """No key at all."""


class Banned(ApiError):
    """The account is suspended."""

    code = "ban"
    default = "this account is suspended"


class NoSuchFunction(ApiError):
    """No such path, or the wrong HTTP method."""

    code = "func"
    default = "there is no such endpoint; mind the method: GET reads, POST writes"


class DatabaseDown(ApiError):
    """The database did not answer; the caller may retry."""

    code = "db"
    default = "the database does not answer; try again"


class Unpaid(ApiError):
    """The plan has lapsed and its grace is over."""

    code = "unpaid"
    default = "the plan has ended; renew it to go on"


class NotFound(ApiError):
    """The object does not exist, or is another account's: one answer for both."""

    code = "notfound"
    default = "there is no such object in this account"


class ChannelNotFound(NotFound):
    """No campaign of the account tracks this channel."""

    default = "this account tracks no such channel"


class LeadNotFound(NotFound):
    """Nobody with this Telegram id is known to the account."""

    default = "nobody with this Telegram id is known here"


class ConversionNotFound(NotFound):
    """The person has no such conversion."""

    default = "this person has no such conversion"


class BadParameter(ApiError):
    """A parameter is missing or invalid; `field` names it, the message does not.

    The envelope puts the name before the message.
    """

    code = "param"
    default = "a parameter is missing or invalid"

    def __init__(self, field: str, message: str = "") -> None:
        super().__init__(message, field=field)
        self.field = field


class TooLarge(ApiError):
    """The body is larger than the endpoint takes."""

    code = "size"
    default = "the request is too large"


class TooManyRequests(ApiError):
    """The caller's rate is used up."""

    code = "rate"
    default = "too many requests; wait and try again"

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after=retry_after)


class TokenRefused(ApiError):
    """Telegram does not know this bot token."""

    code = "token"
    default = "Telegram refused this token; copy it again from BotFather"


class BotTaken(ApiError):
    """The bot is connected to another account."""

    code = "exists"
    default = "this bot is connected to another account"


class WebhookRefused(ApiError):
    """Telegram would not register our webhook."""

    code = "webhook"
    default = "Telegram would not register the webhook"


class KeyReused(ApiError):
    """An idempotency key came with another request before."""

    code = "exists"
    default = "this idempotency key was used for another request; use a new one"


class ChatTaken(ApiError):
    """The chat is tracked by a living campaign already."""

    code = "exists"
    default = "this chat is already tracked by a campaign"


class NotAdminThere(ApiError):
    """The chat is not one in which this bot is an administrator."""

    code = "nochat"
    default = "this bot is not an administrator of that chat"


class PlanLimit(ApiError):
    """The plan's number of campaigns is reached."""

    code = "limit"
    default = "the plan's number of campaigns is reached"


class CannotConnect(ApiError):
    """The tracker did not accept the connection."""

    code = "connect"
    default = "the tracker did not accept this domain and key"


class RecipientUnpaid(ApiError):
    """Whoever should receive a bot or a campaign has no paid plan."""

    code = "recipient"
    default = "the recipient has no paid plan at the moment"


class PlanActive(ApiError):
    """A paid plan has too long to go to be renewed or changed."""

    code = "active"
    default = "your plan has more than 3 days to go; renew or change it in the last 3 days"


class NoGateway(ApiError):
    """No payment gateway is configured, or it does not answer."""

    code = "gateway"
    default = "payments are not possible at the moment; ask the operator for a plan"
