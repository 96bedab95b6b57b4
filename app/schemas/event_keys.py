"""Fields of eventkeys/*."""

import ipaddress
from typing import Any, Final

import orjson
from marshmallow import ValidationError

from app.errors import translatable
from app.schemas import fields
from app.schemas.base import ById, Input, Output
from app.schemas.pagination import OptionalPage

LONGEST_TITLE: Final = 64
MOST_ADDRESSES: Final = 50
CURRENCY: Final = r"(?:[A-Z]{3})?"


class Addresses(fields.Field[list[str]]):
    """Addresses and networks, as a list or as text with commas."""

    def _read(self, value: Any) -> list[str]:
        if isinstance(value, str):
            value = [part.strip() for part in value.split(",") if part.strip()]
        if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
            raise ValidationError(translatable("must be a list of addresses or networks"))
        if len(value) > MOST_ADDRESSES:
            raise ValidationError(
                translatable("has more than %(most)d entries", most=MOST_ADDRESSES)
            )
        try:
            return [str(ipaddress.ip_network(part, strict=False)) for part in value]
        except ValueError:
            raise ValidationError(translatable("must be a list of addresses or networks")) from None

    def _show(self, value: Any) -> Any:
        return orjson.loads(value)


class EventKeysList(OptionalPage):
    """`limit` keys from `offset` on, or all of them; of one campaign, or of all."""

    campaign = fields.Int(1)


class EventKeyEdit(ById):
    """Absent fields stay as they are."""

    title = fields.Text(LONGEST_TITLE, not_empty=True)
    currency = fields.Text(3, pattern=CURRENCY)
    addresses = Addresses()


class EventKeyAdd(Input):
    """A new key; without `campaign` for people of all campaigns."""

    title = fields.Text(LONGEST_TITLE, required=True, not_empty=True)
    campaign = fields.Int(1)
    currency = fields.Text(3, pattern=CURRENCY)
    addresses = Addresses()
    signed = fields.Boolean()


class EventKeyRotate(ById):
    """Without `signed` calls are signed afterwards if they were before."""

    signed = fields.Boolean()


class EventKeyAdded(Output):
    """What is shown once; `secret` is empty where calls are not signed.

    `url` is empty where the installation has no PUBLIC_URL.
    """

    id = fields.Int()
    key = fields.Text()
    secret = fields.Text()
    url = fields.Text()


class EventKeyOut(Output):
    """A row of `eventkeys/list`; `campaign` is 0 where it is for all of them."""

    id = fields.Int()
    campaign = fields.Int(attribute="campaign_id", null_as=0)
    title = fields.Text()
    currency = fields.Text()
    addresses = Addresses()
    signed = fields.IsPresent(attribute="secret")
    created = fields.UtcText()
