"""The settings of `url_template`: a preset and its fields, or URLs and how to send them."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from marshmallow import Schema, ValidationError, fields, post_load, validate

from plugins.contract import ALL_KINDS, ConversionKind, EventKind, translatable
from plugins.kit import macros, spelling
from plugins.kit.answer_rules import check_rules
from plugins.kit.http_headers import is_framing, is_value
from plugins.trackers.url_template import expansion, presets

_short = validate.Length(max=256)

#: Macros that may stand as `"{subscriber|number}"` in JSON.
NUMERIC_MACROS: Final = frozenset({"user", "lead", "subscriber", "chat", "time", "premium"})

_MAX_PAYLOAD: Final = 64
_MAX_DEPTH: Final = 4


class _Url(fields.String):
    """A URL template without space around it; "" sends nothing for its event."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = str(super()._deserialize(value, attr, data, **kwargs)).strip()
        try:
            if text:
                macros.check_callable(text)
        except ValueError as error:
            raise ValidationError(str(error)) from error
        if fault := spelling.postback_fault(text):
            raise ValidationError(fault)
        return text


class _AnswerRules(fields.Field[Any]):
    """A preset's key, whose rules are taken, or rules; "" leaves it to the preset or the status."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002  # marshmallow's signature
        if not isinstance(value, str):
            return check_rules(value)
        if value and value not in presets.presets():
            raise ValidationError(
                translatable(
                    "there is no reader %(value)s; a preset's key names one", value=repr(value[:64])
                )
            )
        return value


def _url_of(kind: EventKind | ConversionKind) -> _Url:
    return _Url(load_default="", metadata={"title": f"URL for {kind.value}"})


_Urls = Schema.from_dict({kind.value: _url_of(kind) for kind in ALL_KINDS}, name="Urls")


def _check_payload(value: dict[str, Any]) -> None:
    """Check the names and values of a body. JSON may nest, and carry numbers and flags."""
    if _count(value, 1) > _MAX_PAYLOAD:
        raise ValidationError(
            translatable("has more than %(max_payload)s values", max_payload=_MAX_PAYLOAD)
        )


def _check_macros(value: str) -> None:
    if fault := spelling.macro_fault(value):
        raise ValidationError(fault)


def _check_header(name: str) -> None:
    if is_framing(name):
        raise ValidationError(
            translatable("%(name)s is set when a request is sent; leave it out", name=name)
        )


def _check_value(value: str) -> None:
    if not is_value(macros.MACRO.sub("", value)):
        raise ValidationError(translatable("a header carries Latin letters, digits and signs only"))


def _count(value: Any, depth: int) -> int:
    """The number of values inside `value`. Raises ValidationError for one that cannot be sent."""
    if isinstance(value, dict):
        if depth > _MAX_DEPTH:
            raise ValidationError(
                translatable("is nested deeper than %(max_depth)s", max_depth=_MAX_DEPTH)
            )
        return sum(_count(item, depth + 1) for item in value.values())
    if isinstance(value, str):
        if len(value) > 1024:
            raise ValidationError(translatable("has a value of more than 1024 characters"))
        _check_macros(value)
        numbers = [name for name in macros.MACRO.findall(value) if name.endswith(macros.NUMBER)]
        if numbers and macros.number_name(value) not in NUMERIC_MACROS:
            raise ValidationError(
                translatable(
                    "{%(numbers)s} must stand alone and name a number", numbers=numbers[0][:62]
                )
            )
    elif not isinstance(value, bool | int | float | None) or not math.isfinite(value or 0):
        raise ValidationError(
            translatable("has a value that is no text, number, true, false, null or object")
        )
    return 1


class UrlTemplateSettings(Schema):
    """Any tracker by its postback URLs: choose a preset, or write the five URLs yourself."""

    title: ClassVar[str] = "Postback URL"

    preset = fields.String(
        load_default="",
        validate=validate.Length(max=64),
        metadata={"title": "Preset", "help": "writes everything below from the fields it asks for"},
    )
    mode = fields.String(
        load_default="",
        validate=validate.OneOf(["", *presets.MODES]),
        metadata={"title": "Mode of the preset", "help": "empty: its first"},
    )
    fields_ = fields.Dict(
        data_key="fields",
        attribute="fields",
        keys=fields.String(validate=validate.Length(min=1, max=64)),
        values=fields.String(validate=_short, allow_none=True),
        validate=validate.Length(max=32),
        load_default=dict,
        metadata={"title": "Fields of the preset"},
    )
    statuses = fields.Dict(
        keys=fields.String(validate=validate.OneOf([kind.value for kind in ALL_KINDS])),
        values=fields.String(validate=validate.Length(max=64)),
        load_default=dict,
        metadata={"title": "Words for {status} by event", "help": "empty: the usual ones"},
    )
    urls = fields.Nested(_Urls, load_default=None, metadata={"title": "URLs by event"})
    method = fields.String(load_default="GET", validate=validate.OneOf(["GET", "POST"]))
    body = fields.String(load_default="none", validate=validate.OneOf(["none", "form", "json"]))
    payload = fields.Dict(
        keys=fields.String(validate=validate.Length(min=1, max=64)),
        validate=_check_payload,
        load_default=dict,
        metadata={"title": "Names and values of the body", "help": "values may hold macros"},
    )
    headers = fields.Dict(
        keys=fields.String(validate=[validate.Regexp(r"[A-Za-z0-9-]{1,64}\Z"), _check_header]),
        values=fields.String(validate=[validate.Length(max=1024), _check_macros, _check_value]),
        validate=validate.Length(max=16),
        load_default=dict,
        metadata={"title": "Headers", "help": "values may hold macros"},
    )
    needs_click = fields.Boolean(
        load_default=False, metadata={"title": "Send nothing for a lead without a click id"}
    )
    answer_rules = _AnswerRules(
        load_default="",
        metadata={"title": "How answers are read", "help": "a preset's key, or a list of rules"},
    )
    deliver_if = fields.String(
        load_default="",
        validate=_short,
        metadata={"title": "Delivered only if the answer contains"},
    )
    reject_if = fields.String(
        load_default="", validate=_short, metadata={"title": "Rejected if the answer contains"}
    )
    scheme = fields.String(
        load_default="https",
        validate=validate.OneOf(["https", "http"]),
        metadata={"scheme_of": "fields.domain"},
    )

    @post_load
    def expand(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Replace a preset by the settings that it stands for. Raises ValidationError."""
        if data["preset"]:
            written = expansion.expand(
                data["preset"], data["mode"], data["fields"], data["statuses"]
            )
            written["urls"] = self.fields["urls"].deserialize(written["urls"], "urls")
            return {**data, **written}
        if data["urls"] is None:
            raise ValidationError(translatable("choose a preset or write the URLs"), "urls")
        if data["mode"] or data["fields"]:
            raise ValidationError(
                translatable(
                    "only a preset has fields and a mode; what a body carries is its payload"
                ),
                "preset",
            )
        _check_body(data)
        return data


def _check_body(data: Mapping[str, Any]) -> None:
    """A GET has no body, and a payload needs a form or JSON. Raises ValidationError."""
    if data["body"] != "none" and data["method"] != "POST":
        raise ValidationError(translatable("a body needs the method POST"), "body")
    if data["payload"] and data["body"] == "none":
        raise ValidationError(translatable("choose form or json to send a payload"), "body")
    if data["body"] == "form" and not all(isinstance(v, str) for v in data["payload"].values()):
        raise ValidationError(
            translatable("a form has texts only; choose json for the rest"), "payload"
        )
