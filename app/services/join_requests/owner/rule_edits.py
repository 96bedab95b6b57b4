"""Single changes to the rules of a campaign's desk: put, move, remove. Each replaces the list."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.domain.join_requests.rules import MOST_RULES
from app.errors import NotFound, PlanLimit, translatable
from app.services.accounts import accounts
from app.services.join_requests.owner import rule_list

Rules = list[Mapping[str, Any]]


def put(account_id: int, campaign_id: int, rule: Mapping[str, Any], rule_id: int = 0) -> None:
    """Put a rule in the place of one, or behind all others. Commits.

    Raises NotFound or PlanLimit.
    """
    _change(account_id, campaign_id, lambda rules: with_rule(rules, rule, rule_id))


def move(account_id: int, campaign_id: int, rule_id: int, step: int) -> None:
    """Move a rule by so many places; at an end it stays there. Commits. Raises NotFound."""

    def moved(rules: Rules) -> Rules:
        index = _index(rules, rule_id)
        rule = rules.pop(index)
        rules.insert(max(0, index + step), rule)
        return rules

    _change(account_id, campaign_id, moved)


def remove(account_id: int, campaign_id: int, rule_id: int) -> None:
    """Remove a rule. Commits. Raises NotFound."""

    def shortened(rules: Rules) -> Rules:
        del rules[_index(rules, rule_id)]
        return rules

    _change(account_id, campaign_id, shortened)


def with_rule(
    rules: Sequence[Mapping[str, Any]], rule: Mapping[str, Any], rule_id: int = 0
) -> Rules:
    """The rules with one put in the place of another, or behind all. Raises NotFound or PlanLimit.

    What has the place of another keeps its hits.
    """
    if rule_id:
        changed = list(rules)
        changed[_index(rules, rule_id)] = {**rule, "id": rule_id}
        return changed
    if len(rules) >= MOST_RULES:
        raise PlanLimit(translatable("a campaign has at most %(most)d rules", most=MOST_RULES))
    return [*rules, {**rule, "id": None}]


def current(account_id: int, campaign_id: int) -> Rules:
    """The rules in force, as `rule_list.replace_all` takes them. Raises NotFound."""
    names = ("id", *rule_list.FIELDS)
    return [
        {name: getattr(rule, name) for name in names}
        for rule in rule_list.listed(account_id, campaign_id)
    ]


def _change(account_id: int, campaign_id: int, change: Callable[[Rules], Rules]) -> None:
    accounts.lock(account_id)  # so that a change in another window is not lost
    rule_list.replace_all(account_id, campaign_id, change(current(account_id, campaign_id)))


def _index(rules: Sequence[Mapping[str, Any]], rule_id: int) -> int:
    for index, rule in enumerate(rules):
        if rule["id"] == rule_id:
            return index
    raise NotFound
