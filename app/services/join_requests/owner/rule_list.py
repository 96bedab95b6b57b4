"""The rules of a campaign's desk: listed, replaced as a whole, and tried on the last requests."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import select

from app.domain.join_requests import rules as desk_rules
from app.domain.join_requests.facts import Came, Facts
from app.domain.join_requests.rules import Rule, RuleDecision, Verdict
from app.domain.time_ranges import DAY
from app.errors import BadParameter, NotFound, translatable
from app.extensions import db
from app.models import Account, Campaign, JoinRequest, RequestRule
from app.services.join_requests import knowledge
from app.services.join_requests.query import SEALED_BIO, readable

#: How many requests `try_out` looks at.
TRIED: Final = 200
FIELDS: Final = ("conditions", "action", "otherwise", "delay_from", "delay_to", "note", "enabled")


@dataclass(frozen=True, slots=True)
class ShownRule:
    """A rule as its owner sees it."""

    id: int
    position: int
    conditions: Mapping[str, Any]
    action: int
    otherwise: int
    delay_from: int
    delay_to: int
    note: str
    hits: int
    enabled: bool


class TrialResult(NamedTuple):
    """What a request would get: `position` is that of the rule, 0 for none."""

    id: int
    subscriber: int
    username: str
    state: int
    action: int
    position: int
    asks: bool


def listed(account_id: int, campaign_id: int) -> list[ShownRule]:
    """The rules in their order. Raises NotFound."""
    _campaign(account_id, campaign_id)
    return [_shown(row) for row in _rows(campaign_id)]


def replace_all(
    account_id: int, campaign_id: int, rules: Sequence[Mapping[str, Any]]
) -> list[ShownRule]:
    """Put these rules, in this order, in place of all. Commits. Raises NotFound or BadParameter.

    A rule with the `id` of one that is there keeps its hits.
    """
    _campaign(account_id, campaign_id, lock=True)
    there = {row.id: row for row in _rows(campaign_id)}
    for position, values in enumerate(rules, 1):
        number = values.get("id")
        row = there.pop(number, None) if number else None
        if number and row is None:
            unknown = translatable("rule %(number)d: there is no such rule", number=position)
            raise BadParameter("rules", unknown)
        if row is None:
            row = RequestRule(campaign_id=campaign_id)
            db.session.add(row)
        row.position = position
        for name in FIELDS:
            value = values[name]
            setattr(row, name, orjson.dumps(value).decode() if name == "conditions" else value)
    for row in there.values():
        db.session.delete(row)
    db.session.commit()
    return [_shown(row) for row in _rows(campaign_id)]


def try_out(
    account_id: int, campaign_id: int, rules: Sequence[Mapping[str, Any]] | None = None
) -> list[TrialResult]:
    """What each of the last requests would get, by `rules` or by those in force. Raises NotFound.

    What is known of people today counts, but hours, weekdays and memberships are those of then.
    """
    zone = knowledge.zone(_campaign(account_id, campaign_id))
    if rules is None:
        rules = [asdict(_shown(row)) for row in _rows(campaign_id)]
    tried = [
        _rule(position, values) for position, values in enumerate(rules, 1) if values["enabled"]
    ]
    return [
        _tried(row, desk_rules.decide(tried, facts, 0.0))
        for row, facts in _facts(account_id, campaign_id, zone)
    ]


def _tried(row: JoinRequest, decision: RuleDecision) -> TrialResult:
    position = decision.rule_id  # `_rule` has made it the id
    action = Verdict.ASK if decision.asks else decision.action
    return TrialResult(
        row.id, row.subscriber, row.username, row.state, action, position, decision.asks
    )


def _rule(position: int, values: Mapping[str, Any]) -> Rule:
    return Rule(
        id=position,
        conditions=values["conditions"],
        action=Verdict(values["action"]),
        otherwise=Verdict(values["otherwise"]),
        delay_from=values["delay_from"],
        delay_to=values["delay_to"],
    )


def _facts(account_id: int, campaign_id: int, zone: ZoneInfo) -> list[tuple[JoinRequest, Facts]]:
    newest = (
        select(JoinRequest, SEALED_BIO)
        .where(JoinRequest.campaign_id == campaign_id)
        .order_by(JoinRequest.id.desc())
        .limit(TRIED)
    )
    rows = db.session.execute(newest).all()
    connection = db.session.connection()
    people = {(campaign_id, row.subscriber): None for row, _ in rows}
    past = knowledge.past_of(connection, people)
    members = _members([row for row, _ in rows], past)
    blocked = knowledge.blocked_among(
        connection, [(account_id, row.subscriber, row.username) for row, _ in rows]
    )
    result = []
    for row, sealed in rows:
        declined = past.declined.get((campaign_id, row.subscriber))
        is_before = declined is not None and declined < row.asked
        minute, weekday = desk_rules.minute_and_weekday(row.asked, zone)
        facts = Facts(
            subscriber=row.subscriber,
            campaign=campaign_id,
            came=Came(row.came),
            source=row.source_id,
            link_name=row.link_name,
            premium=row.premium,
            language=row.language,
            username=row.username,
            name=f"{row.first_name} {row.last_name}",
            bio=readable(sealed),
            is_blocked=(account_id, row.subscriber) in blocked,
            declined_days=(row.asked - (declined or 0)) / DAY if is_before else None,
            was_member=row.id in members,
            minute=minute,
            weekday=weekday,
        )
        result.append((row, facts))
    return result


def _members(rows: Sequence[JoinRequest], past: knowledge.History) -> set[int]:
    """The ids of those requests whose people had been members before they asked."""
    leads = {row.lead_id for row in rows if row.lead_id is not None}
    inside = knowledge.leads_inside_since(db.session.connection(), leads)
    return {
        row.id
        for row in rows
        if past.members.get((row.campaign_id, row.subscriber), row.asked) < row.asked
        or inside.get(row.lead_id or 0, row.asked) < row.asked
    }


def _shown(row: RequestRule) -> ShownRule:
    values = {name: getattr(row, name) for name in ("id", "position", "hits", *FIELDS)}
    return ShownRule(**values | {"conditions": orjson.loads(row.conditions)})


def _rows(campaign_id: int) -> Sequence[RequestRule]:
    rules = select(RequestRule).where(RequestRule.campaign_id == campaign_id)
    return db.session.scalars(rules.order_by(RequestRule.position, RequestRule.id)).all()


def _campaign(account_id: int, campaign_id: int, *, lock: bool = False) -> str:
    """The zone of the account, if it has this campaign. Raises NotFound."""
    own = (
        select(Account.zone)
        .join(Campaign, Campaign.account_id == Account.id)
        .where(Campaign.id == campaign_id, Campaign.account_id == account_id, Campaign.living)
    )
    zone = db.session.scalar(own.with_for_update(of=Campaign) if lock else own)
    if zone is None:
        raise NotFound
    return zone
