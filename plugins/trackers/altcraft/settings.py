"""The settings of Altcraft, and the rules between them."""

import re
import unicodedata
from typing import Any, ClassVar, Final

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from plugins.contract import EventKind, translatable
from plugins.kit import macros, spelling
from plugins.kit.fields import BaseUrl, object_field

CLOUD: Final = "https://ru.altkraft.com"

#: Requests. The vendor publishes no number (API_MAX_REQUESTS_COUNT of an installation).
PER_SECOND: Final = 5.0

BOTH: Final = "profile_goal"
GOAL: Final = "goal"
PROFILE: Final = "profile"
ACTIONS: Final = "actions"
MODES: Final = (BOTH, GOAL, PROFILE, ACTIONS)

#: The five by which goals/register finds a profile, and the key each is asked
#: under. The six others work for imports only, or need tokens we never see.
MATCHING: Final = {
    "custom": "field_value",
    "profile_id": "profile_id",
    "email": "email",
    "email_profile": "email",
    "phone": "phone",
}

#: What people see of these in the vendor's SDK; other spellings are unknown.
SUBSCRIPTION: Final = ("", "subscribed", "unsubscribed", "suspended")

_FIELD: Final = r"[^\s\x00-\x1f\"'$.{}]{1,64}\Z"
_GOAL_SIGNS: Final = frozenset(" \t!#$%&*+-.,:;'=?@^_()[]/\\|")
_GOAL_LETTERS: Final = re.compile(r"[A-Za-zА-Яа-яЁё0-9]")  # noqa: RUF001  # Russian on purpose
#: Gatepost writes subscriptions itself; a global status would override all of them.
_RESERVED: Final = frozenset({"_status", "subscriptions"})


_positive = validate.Range(min=1, max=2**53)


def _check_template(text: str) -> None:
    if fault := spelling.macro_fault(text):
        raise ValidationError(fault)
    for name in macros.MACRO.findall(text):
        if name not in macros.KNOWN:
            raise ValidationError(translatable("there is no macro {%(name)s}", name=name))


def _check_goal(name: str) -> None:
    """Vendor's list: Latin and Russian letters, spaces, currency and some other signs.

    It names no digits; they are let through, in case the list forgot them.
    """
    for char in name:
        if not (
            char in _GOAL_SIGNS
            or _GOAL_LETTERS.fullmatch(char)
            or unicodedata.category(char) == "Sc"
        ):
            raise ValidationError(
                translatable("a goal's name must not contain %(char)s", char=repr(char))
            )


def _check_field_map(field_map: dict[str, str]) -> None:
    for name in sorted(_RESERVED & set(field_map)):
        raise ValidationError(translatable("%(name)s cannot be written", name=name))


def _field_name(default: str, title: str, text: str) -> fields.String:
    return fields.String(
        load_default=default,
        validate=validate.Regexp(rf"\Z|{_FIELD}", error=translatable("that is no name of a field")),
        metadata={"title": title, "help": text},
    )


def _number(title: str, text: str) -> fields.Integer:
    return fields.Integer(
        load_default=None,
        allow_none=True,
        validate=_positive,
        metadata={"title": title, "help": text},
    )


def _event_field(kind: EventKind) -> fields.Nested:
    declared: dict[str, fields.Field[Any]] = {
        "goal": fields.String(
            load_default=f"telegram_{kind.value}",
            validate=[validate.Length(max=128), _check_goal],
            metadata={"title": "Goal", "help": "its name in Altcraft; empty sends none"},
        ),
        "value": fields.Float(
            load_default=None,
            allow_none=True,
            validate=validate.Range(min=-1e9, max=1e9),
            metadata={"title": "Value", "help": "of the goal; negative takes back"},
        ),
        "subscription": fields.String(
            load_default="subscribed" if kind is EventKind.WAIT else "",
            validate=validate.OneOf(SUBSCRIPTION),
            metadata={"title": "Subscription", "help": "its new status; empty leaves it"},
        ),
        "trigger": _number("Trigger", "its number; a mailing that an API call starts"),
        "workflow": _number("Scenario", "its number; the person enters at its default start"),
    }
    return object_field(
        Schema.from_dict(declared, name=f"Altcraft{kind.value.title()}"), kind.value
    )


_Events = Schema.from_dict(
    {kind.value: _event_field(kind) for kind in EventKind}, name="AltcraftEvents"
)


class AltcraftSettings(Schema):
    """Keeps a profile of each person in Altcraft and counts goals.

    The custom fields that you name must exist in your database already.
    """

    title: ClassVar[str] = "Altcraft"

    base_url = BaseUrl(
        load_default=CLOUD,
        metadata={"title": "Address", "help": "of your own installation, or the cloud's"},
    )
    token = fields.String(
        required=True,
        validate=validate.Regexp(r"[!-~]{8,256}\Z", error=translatable("a token has no spaces")),
        metadata={"title": "API token", "help": "Altcraft: Settings, Tokens", "secret": True},
    )
    auth = fields.String(
        load_default="body",
        validate=validate.OneOf(["body", "header"]),
        metadata={"title": "Token goes in the", "help": "old installations know the body only"},
    )
    db_id = fields.Integer(
        required=True, validate=_positive, metadata={"title": "Database", "help": "its number"}
    )
    mode = fields.String(
        load_default=BOTH,
        validate=validate.OneOf(MODES),
        metadata={
            "title": "Send",
            "help": "profile and goal, one of them, or with triggers and scenarios",
        },
    )
    matching = fields.String(
        load_default="custom",
        validate=validate.OneOf(list(MATCHING)),
        metadata={"title": "Profiles are found by"},
    )
    match_value = fields.String(
        load_default="{subscriber}",
        validate=[validate.Length(min=1, max=256), _check_template],
        metadata={
            "title": "What is looked for",
            "help": "may hold macros; people can type any {click} they like",
        },
    )
    field_name = _field_name("telegram_id", "Custom field", "by which profiles are found")
    field_type = fields.String(
        load_default="string",
        validate=validate.OneOf(["string", "int"]),
        metadata={"title": "Type of that field", "help": "Telegram's numbers exceed 32 bits"},
    )
    pixel_id = _number("Pixel", "the number of the pixel that collects the goals")
    events = object_field(_Events, "Events")
    status_field = _field_name("tg_status", "Status field", "the last event; empty writes none")
    joined_field = _field_name("", "Field of the join date", "empty writes none")
    field_map = fields.Dict(
        keys=fields.String(
            validate=validate.Regexp(_FIELD, error=translatable("that is no name of a field"))
        ),
        values=fields.String(validate=[validate.Length(max=1024), _check_template]),
        validate=[validate.Length(max=32), _check_field_map],
        load_default=dict,
        metadata={"title": "Further fields", "help": "values may hold macros; empty ones stay"},
    )
    send_names = fields.Boolean(
        load_default=False,
        metadata={"title": "Send names", "help": "gives people's names to Altcraft"},
    )
    send_vendor = fields.Boolean(
        load_default=True,
        metadata={"title": "Campaign as source", "help": "writes its code into _vendor"},
    )
    resource_id = _number("Resource", "to subscribe people to its Telegram bot")
    same_bot = fields.Boolean(
        load_default=False,
        metadata={"title": "That resource uses the very bot that is connected here"},
    )
    per_second = fields.Float(
        load_default=PER_SECOND,
        validate=validate.Range(min=0.1, max=1000),
        metadata={
            "title": "Requests a second",
            "help": "what your installation allows; a profile and a goal are two",
        },
    )
    skip_triggers = fields.Boolean(
        load_default=False, metadata={"title": "Start no triggers and scenarios"}
    )

    @validates_schema
    def what_is_sent_is_complete(self, data: dict[str, Any], **_: Any) -> None:
        """Each mode needs its own numbers."""
        goals = any(event["goal"] for event in data["events"].values())
        if data["mode"] != PROFILE and goals and data["pixel_id"] is None:
            raise ValidationError(translatable("goals need the number of a pixel"), "pixel_id")
        if data["mode"] == GOAL and not goals:
            raise ValidationError(translatable("name at least one goal"), "events")
        if data["matching"] == "custom" and not data["field_name"]:
            raise ValidationError(
                translatable("name the field by which profiles are found"), "field_name"
            )
        for name in ("field_name", "status_field", "joined_field"):
            if data[name] in _RESERVED:
                raise ValidationError(
                    translatable("%(name)s cannot be written", name=data[name]), name
                )

    @validates_schema
    def automation_has_its_mode(self, data: dict[str, Any], **_: Any) -> None:
        """Actions need the mode that starts them, and that mode needs an action."""
        has_action = any(event["trigger"] or event["workflow"] for event in data["events"].values())
        if has_action and data["mode"] != ACTIONS:
            raise ValidationError(
                translatable("triggers and scenarios need the mode %(actions)s", actions=ACTIONS),
                "mode",
            )
        if data["mode"] == ACTIONS and not has_action:
            raise ValidationError(translatable("name at least one trigger or scenario"), "events")

    @validates_schema
    def a_subscription_is_to_our_bot(self, data: dict[str, Any], **_: Any) -> None:
        """A chat belongs to one bot: a message of another bot never arrives there."""
        if data["resource_id"] is None:
            return
        if not data["same_bot"]:
            raise ValidationError(
                translatable("confirm that the resource uses this very bot"), "same_bot"
            )
        if data["mode"] == GOAL:
            raise ValidationError(
                translatable("a subscription goes with a profile; change mode"), "resource_id"
            )
