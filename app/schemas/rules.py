"""Fields of rules/*."""

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import ValidationError

from app.domain.join_requests import conditions
from app.domain.join_requests.rules import LONGEST_DELAY, MOST_RULES, Verdict
from app.errors import translatable
from app.models import RequestState
from app.schemas import fields
from app.schemas.base import Input, Output

_ACTION: Final = fields.EnumName(Verdict)
_DELAY: Final = fields.Int(0, LONGEST_DELAY)
#: The fields of one rule beside its conditions: how each is read, and what it is if absent.
_FIELDS: Final[Mapping[str, tuple[fields.Field[Any], Any]]] = {
    "id": (fields.Int(1), None),
    "otherwise": (_ACTION, int(Verdict.HOLD)),
    "delay_from": (_DELAY, 0),
    "delay_to": (_DELAY, 0),
    "note": (fields.Text(200), ""),
    "enabled": (fields.Boolean(), True),
}


class Rules(fields.Field[list[dict[str, Any]]]):
    """Rules in their order: a list of objects, or in a form its JSON text."""

    def _read(self, value: Any) -> list[dict[str, Any]]:
        if isinstance(value, str):
            value = fields.json_of(value)
        if not isinstance(value, list):
            raise ValidationError(translatable("must be a list, or its JSON text"))
        if len(value) > MOST_RULES:
            raise ValidationError(
                translatable("must be a list of at most %(most)d values", most=MOST_RULES)
            )
        return [_rule(number, rule) for number, rule in enumerate(value, 1)]


def _rule(number: int, rule: Any) -> dict[str, Any]:
    """One rule with every field. Raises ValidationError with the number of the rule."""
    try:
        return checked_rule(rule)
    except ValidationError as error:
        doubt = str(error.messages[0])
    except ValueError as error:
        doubt = str(error)
    raise ValidationError(
        translatable("rule %(number)d: %(doubt)s", number=number, doubt=doubt)
    ) from None


def checked_rule(rule: Any) -> dict[str, Any]:
    """One rule with every field as it is kept. Raises ValidationError or ValueError."""
    if not isinstance(rule, dict):
        raise ValidationError(translatable("must be an object"))
    if "action" not in rule:
        raise ValidationError(translatable("has no action"))
    raw_conditions = rule.get("conditions", {})
    if not isinstance(raw_conditions, dict):
        raise ValidationError(translatable("must be an object"))
    checked: dict[str, Any] = {"conditions": conditions.check(raw_conditions)}
    checked["action"] = _ACTION.deserialize(rule["action"])
    for name, (field, default) in _FIELDS.items():
        checked[name] = field.deserialize(rule[name]) if name in rule else default
    if checked["otherwise"] == Verdict.ASK:
        raise ValidationError(translatable("after a question there is no other"))
    if checked["action"] != Verdict.ASK and checked["delay_from"] > checked["delay_to"]:
        checked["delay_to"] = checked["delay_from"]
    return checked


class RuleFields(Input):
    """The fields of one rule beside its conditions, each read by itself: for a form."""

    action = fields.EnumName(Verdict)
    otherwise = fields.EnumName(Verdict)
    delay_from = fields.Int(0, LONGEST_DELAY)
    delay_to = fields.Int(0, LONGEST_DELAY)
    note = fields.Text(200)


class OfCampaign(Input):
    """The rules of which campaign."""

    campaign = fields.Int(1, required=True)


class RulesSet(OfCampaign):
    """All rules, in their order. One with an `id` that is there keeps its hits."""

    rules = Rules(required=True)


class RulesTry(OfCampaign):
    """Rules to try; without them those in force."""

    rules = Rules()


class Conditions(fields.Field[dict[str, Any]]):
    """An object of conditions. Only shown."""


class RuleOut(Output):
    """A rule. `hits` is how many requests it has decided. `otherwise` is for rules that ask."""

    id = fields.Int()
    position = fields.Int()
    conditions = Conditions(dump_only=True)
    action = fields.EnumName(Verdict, dump_only=True)
    otherwise = fields.EnumName(Verdict, dump_only=True)
    delay_from = fields.Int()
    delay_to = fields.Int()
    note = fields.Text()
    hits = fields.Int()
    enabled = fields.Boolean()


class TrialOut(Output):
    """What a request would get. `position` is that of the rule, 0 if none fits."""

    id = fields.Int()
    subscriber = fields.Int()
    username = fields.Text()
    state = fields.EnumName(RequestState, dump_only=True)
    action = fields.EnumName(Verdict, dump_only=True)
    position = fields.Int()
