"""The settings of AdTarget, and the conversion that each event becomes by default."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final, NamedTuple

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from plugins.contract import ConversionKind, EventKind, translatable
from plugins.kit.ad_platforms import send_click_field
from plugins.kit.fields import BaseUrl, object_field
from plugins.kit.platforms.empty_purchases import empty_purchase_field

HOME: Final = "https://adtarget.io"
AUTO: Final = "auto"
OFF: Final = "off"


class Plan(NamedTuple):
    """The conversions that one event can become: by default, as a custom one, and at all."""

    recommended: str
    custom_name: str
    types: tuple[str, ...]


PLANS: Final[Mapping[EventKind | ConversionKind, Plan]] = {
    EventKind.WAIT: Plan(OFF, "BotStart", ("Lead", "CompleteRegistration", "Custom")),
    EventKind.HOLD: Plan("Lead", "JoinRequest", ("Lead", "CompleteRegistration", "Custom")),
    EventKind.APPROVE: Plan(
        "Subscribe",
        "ChannelJoin",
        ("Subscribe", "Lead", "CompleteRegistration", "Purchase", "Custom"),
    ),
    EventKind.CANCEL: Plan(OFF, "ChannelLeave", ("Custom",)),
    EventKind.TRASH: Plan(OFF, "ChannelBan", ("Custom",)),
    ConversionKind.REGISTER: Plan(
        "CompleteRegistration", "Registration", ("CompleteRegistration", "Lead", "Custom")
    ),
    ConversionKind.PURCHASE: Plan("Purchase", "Deposit", ("Purchase", "Custom")),
    ConversionKind.REFUND: Plan(OFF, "Refund", ("Custom",)),
    ConversionKind.CUSTOM: Plan("Custom", "", ("Custom",)),
}


#: The settings of an event for which nothing was typed.
USUAL: Final[Mapping[str, Any]] = {"type": AUTO, "name": "", "value": None}


class _EventSettings(Schema):
    """The settings of one event. `type` is added with the choices of that event."""

    name = fields.String(
        load_default="",
        validate=validate.Length(max=64),
        metadata={"title": "Name", "help": "of a Custom event; empty takes ours"},
    )
    value = fields.Float(
        load_default=None,
        allow_none=True,
        validate=validate.Range(min=0, max=1e9, min_inclusive=False),
        metadata={"title": "Value", "help": "what the event is worth, in your currency"},
    )

    @validates_schema
    def a_purchase_has_a_price(self, data: dict[str, Any], **_: Any) -> None:
        """AdTarget refuses a Purchase without a value."""
        if data["type"] == "Purchase" and data["value"] is None:
            raise ValidationError(translatable("a Purchase needs a value"), "value")


def _settings_of(kind: EventKind | ConversionKind) -> fields.Nested:
    plan = PLANS[kind]
    choice = fields.String(
        load_default=AUTO,
        validate=validate.OneOf((AUTO, OFF, *plan.types)),
        metadata={"title": "Event type", "help": f"{AUTO} means {plan.recommended}"},
    )
    base = _EventSettings if isinstance(kind, EventKind) else _ConversionSettings
    return fields.Nested(
        base.from_dict({"type": choice}, name=f"AdTarget{kind.value.title()}"),
        load_default=lambda: dict(USUAL),
        metadata={"title": kind.value},
    )


class _ConversionSettings(Schema):
    """The settings of a conversion, which brings its own value."""

    name = fields.String(
        load_default="",
        validate=validate.Length(max=64),
        metadata={"title": "Name", "help": "of a Custom event; empty takes the event's own"},
    )
    value = fields.Constant(None)


_Events = Schema.from_dict(
    {kind.value: _settings_of(kind) for kind in PLANS}, name="AdTargetEvents"
)


class AdTargetSettings(Schema):
    """Tells Meta, TikTok, Snapchat and Google of conversions, through AdTarget.

    Refusals are off by default: no ad platform can be told to forget.
    """

    title: ClassVar[str] = "AdTarget"

    key = fields.String(
        required=True,
        validate=validate.Regexp(
            r"atk_live_[A-Za-z0-9]{8}_[!-~]{16,200}\Z",
            error=translatable("an AdTarget key looks like atk_live_12345678_…; copy it whole"),
        ),
        metadata={
            "title": "API key",
            "help": "AdTarget: Dashboard, Site, Settings, API",
            "secret": True,
        },
    )
    site = fields.String(
        required=True,
        validate=validate.Regexp(r"[!-~]{1,128}\Z", error=translatable("a site id has no spaces")),
        metadata={
            "title": "Site",
            "help": "the website id (atid_…) or the internal site id; "
            "without it AdTarget cannot place people it has not seen before",
        },
    )
    channel = fields.String(
        load_default="",
        validate=validate.Regexp(
            r"[!-~]{0,128}\Z", error=translatable("a channel id has no spaces")
        ),
        metadata={"title": "Channel id", "help": "empty takes the chat of the campaign"},
    )
    tracked_by_adtarget = fields.Boolean(
        load_default=False,
        metadata={
            "title": "AdTarget's own bot watches this channel too",
            "help": "it reports joins itself, so ours stay off unless chosen below",
        },
    )
    events = object_field(_Events, "Events")
    currency = fields.String(
        load_default="",
        validate=validate.Regexp(
            r"(?:[A-Z]{3})?\Z", error=translatable("three capital letters, as in USD")
        ),
        metadata={"title": "Currency", "help": "ISO 4217, for the values"},
    )
    click_type = fields.String(
        load_default="external",
        validate=validate.OneOf(
            ["external", "none", "fbclid", "fbc", "gclid", "ttclid", "sccid"],
        ),
        metadata={"title": "The click id is", "help": "what your links carry as click"},
    )
    send_names = fields.Boolean(
        load_default=False,
        metadata={"title": "Send names", "help": "gives people's names to AdTarget"},
    )
    send_click = send_click_field("ids, page, browser and address")
    send_visit = fields.Boolean(
        load_default=False,
        metadata={
            "title": "Tell of visits too",
            "help": "visit, fbp and invite link, before a person's first event",
        },
    )
    empty_purchase = empty_purchase_field()
    base_url = BaseUrl(
        load_default=HOME, metadata={"title": "Address", "help": "leave it as it is"}
    )

    @validates_schema
    def a_value_has_a_currency(self, data: dict[str, Any], **_: Any) -> None:
        """A bare number says nothing to an ad platform."""
        if not data["currency"] and any(
            event["value"] is not None for event in data["events"].values()
        ):
            raise ValidationError(translatable("name the currency of the values"), "currency")
