"""Fields of trackers/list and dest/*."""

import json
from collections.abc import Mapping
from typing import Any, Final

from marshmallow import ValidationError

from app.domain.storable_text import UNSTORABLE
from app.errors import translatable
from app.models import DestinationStatus, Role
from app.schemas import fields
from app.schemas.base import ById, Input, Output
from app.schemas.pagination import Page
from app.schemas.parsing import LONGEST_NAME, is_deep
from app.schemas.stats import Date, Percent
from plugins.contract import ALL_KINDS, ConversionKind, EventKind, kind_named

LONGEST_TITLE: Final = 128
#: Longer than any address or template that an adapter takes.
LONGEST_SETTING: Final = 8192
#: Bytes of all settings of one destination, as JSON.
LARGEST_SETTINGS: Final = 64 * 1024
_FLAG: Final = fields.Boolean()


class Settings(fields.Field[dict[str, Any]]):
    """What an adapter asks for: an object, or in a form its JSON text."""

    def _read(self, value: Any) -> dict[str, Any]:
        if isinstance(value, str) and (value := fields.json_of(value)) is None:
            raise ValidationError(translatable("must be an object, or its JSON text"))
        if not isinstance(value, dict):
            raise ValidationError(translatable("must be an object"))
        if is_deep(value):
            raise ValidationError(translatable("is nested too deeply"))
        self._check_texts(value)
        if len(json.dumps(value)) > LARGEST_SETTINGS:
            raise ValidationError(
                translatable("is larger than %(most)d bytes", most=LARGEST_SETTINGS)
            )
        return value

    def _check_texts(self, node: object) -> None:
        """Raise ValidationError by path for texts that are too long or cannot be stored."""
        if isinstance(node, str):
            if len(node) > LONGEST_SETTING:
                raise ValidationError(
                    translatable("is longer than %(most)d characters", most=LONGEST_SETTING)
                )
            if UNSTORABLE.search(node):
                raise ValidationError(translatable("holds a character that cannot be stored"))
        pairs = node.items() if isinstance(node, dict) else ()
        for name, value in enumerate(node) if isinstance(node, list) else pairs:
            try:
                self._check_texts(name)
                self._check_texts(value)
            except ValidationError as error:
                raise ValidationError({_printable(name): error.messages}) from None


def _printable(name: object) -> str:
    """Return the name of a setting with what cannot be stored or is too long taken out."""
    return UNSTORABLE.sub("\ufffd", str(name))[:LONGEST_NAME]


class Events(fields.Field[dict[EventKind | ConversionKind, bool]]):
    """Which events are sent.

    A list, or text with commas, names all that are; an object, or in a form its JSON text,
    switches those that it names and leaves the others as they are.
    """

    def _read(self, value: Any) -> dict[EventKind | ConversionKind, bool]:
        if isinstance(value, str) and value.lstrip().startswith("{"):
            value = fields.json_of(value)
        elif isinstance(value, str):
            value = [part.strip() for part in value.split(",") if part.strip()]
        if isinstance(value, list):
            kinds = {self._kind(name) for name in value}
            return {kind: kind in kinds for kind in ALL_KINDS}
        if isinstance(value, dict):
            return {self._kind(name): bool(_FLAG.deserialize(on)) for name, on in value.items()}
        raise ValidationError(translatable("must be a list of events, or an object of switches"))

    def _show(self, value: Any) -> Mapping[str, bool]:
        return {kind.value: bool(value & 1 << index) for index, kind in enumerate(ALL_KINDS)}

    @staticmethod
    def _kind(name: Any) -> EventKind | ConversionKind:
        try:
            return kind_named(name)
        except ValueError:
            raise ValidationError(
                translatable("knows only %(words)s", words=", ".join(ALL_KINDS))
            ) from None


class DestinationsList(Page):
    """`campaign` 0 asks for those of the account as a whole."""

    campaign = fields.Int(0)


class DestinationAdd(Input):
    """A new destination; without `campaign` it serves all of them."""

    tracker = fields.Text(64, required=True)
    settings = Settings(required=True)
    title = fields.Text(LONGEST_TITLE)
    campaign = fields.Int(0)
    events = Events()


class DestinationAdded(Output):
    """`dest/add`."""

    id = fields.Int()


class DestinationEdit(ById):
    """Absent fields stay as they are."""

    settings = Settings()
    title = fields.Text(LONGEST_TITLE)
    campaign = fields.Int(0)
    events = Events()


class DestinationCheck(Input):
    """A destination, or a tracker with settings that are not stored."""

    id = fields.Int(1)
    tracker = fields.Text(64)
    settings = Settings()


class Plain(fields.Field[Any]):
    """JSON as it is."""


class DestinationOut(Output):
    """A row of `dest/list`; secrets in `settings` read `***`.

    Of the postbacks that were made today and on the 6 days before (UTC): how many were delivered,
    how many were rejected or failed, the percentage delivered, null without any, and the day of
    the newest delivered one, `0000-00-00` without any.
    """

    id = fields.Int(attribute="destination.id")
    tracker = fields.Text(attribute="destination.tracker")
    title = fields.Text(attribute="destination.title")
    role = fields.EnumName(Role, attribute="destination.role")
    campaign = fields.Int(attribute="destination.campaign_id", null_as=0)
    settings = Plain()
    events = Events(attribute="destination.events")
    every_event = fields.Boolean(attribute="destination.every_event")
    status = fields.EnumName(DestinationStatus, attribute="destination.status")
    reason = fields.Text(attribute="destination.reason")
    failures = fields.Int(attribute="destination.failures")
    blocked_until = fields.UtcText(attribute="destination.blocked_until")
    created = fields.UtcText(attribute="destination.created")
    delivered = fields.Int(attribute="recent.delivered")
    undelivered = fields.Int(attribute="recent.undelivered")
    rate = Percent(attribute="recent.rate")
    last_success = Date(attribute="recent.last_success")
    last_success_time = fields.UtcText(attribute="recent.last_success_time")


class CheckResultOut(Output):
    """`dest/check`; `ok` is null when the tracker offers no check."""

    ok = Plain()
    verdict = fields.Text()
    message = fields.Text()
    status = fields.Int()
    ms = fields.Int()
