"""Intake: requests to join become rows as they come, and are decided where the desk is on.

Part of the transaction that moves the leads; nothing here commits. Telegram can list no
requests, so each is kept from the first day, also while the desk is off. Whoever joins has been
let in by somebody, and whoever asks again has withdrawn what they asked before.
"""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sqlalchemy import Connection, bindparam, select

from app.crypto import cipher
from app.database.rows import insert_rows, write_rows
from app.domain.join_requests import rules
from app.domain.join_requests.facts import Came, Facts, came
from app.domain.join_requests.rules import BY_NOBODY, RuleDecision
from app.domain.lead import Lead
from app.domain.telegram.person import Person
from app.domain.telegram.updates import LeadEvent, LeadEventKind
from app.domain.time_ranges import DAY
from app.models import (
    CampaignStatus,
    Click,
    DecidedBy,
    DeskMode,
    GreetOn,
    JoinRequest,
    RequestState,
    table_of,
)
from app.services.join_requests import answered, greeting, knowledge, statements
from app.services.join_requests.greeting import Asker, Greeting
from app.services.join_requests.knowledge import DeskSettings, History

_REQUESTS: Final = table_of(JoinRequest)
_COLUMNS: Final = (
    "account_id campaign_id bot_id chat_id subscriber asked user_chat username first_name"
    " last_name language premium bio link_key link_name source_id click_id came query state"
    " action asks rule_id decided_by due tries reason batch message_id lead_id"
).split()
_TOKENS: Final = select(Click.id, Click.token).where(
    Click.id.in_(bindparam("clicks", expanding=True))
)
#: A greeting gets this head start before the request is approved.
GREETING_SECONDS: Final = 2.0
_GREETED_AT_ONCE: Final = frozenset({GreetOn.REQUEST, GreetOn.BOTH})


class InCampaign(Protocol):
    """A person in a campaign, with their lead if there is one; its id comes with the writing."""

    campaign: Any
    person: Person
    id: int | None
    lead: Lead | None


@dataclass(slots=True)
class _Asked:
    """A request of this batch, and what is decided of it."""

    context: InCampaign
    event: LeadEvent
    decision: RuleDecision = BY_NOBODY
    settings: DeskSettings | None = None
    message_id: int | None = None

    @property
    def key(self) -> tuple[int, int]:
        return self.context.campaign.id, self.event.person.id


class Intake:
    """What a batch of updates tells of requests."""

    def __init__(
        self, connection: Connection, now: float, chance: Callable[[], float] = random.random
    ) -> None:
        """`now` in Unix seconds; `chance` returns a number in [0, 1) for delays."""
        self._connection = connection
        self._now = now
        self._chance = chance
        self._asked: list[_Asked] = []
        self._joined: list[tuple[InCampaign, LeadEvent]] = []
        self._started: dict[tuple[int, int], InCampaign] = {}

    def note(self, context: InCampaign, event: LeadEvent) -> None:
        """Note an event that the lead machine has applied. Nothing is written yet."""
        if event.kind is LeadEventKind.REQUEST:
            self._asked.append(_Asked(context, event))
        elif event.kind is LeadEventKind.JOIN:
            self._joined.append((context, event))
        elif event.kind is LeadEventKind.START:
            self._started[context.campaign.id, event.person.id] = context

    def prepare(self) -> None:
        """Decide what the desk decides, write its greetings, and answer queries of guard bots."""
        answered.leave_to_us(self._connection, self._queries())
        decided = [asked for asked in self._asked if _is_on(asked.context.campaign)]
        if not decided:
            return
        settings = knowledge.settings_of(
            self._connection, {asked.context.campaign.id for asked in decided}
        )
        blocked = knowledge.blocked_among(
            self._connection,
            [
                (
                    asked.context.campaign.account_id,
                    asked.event.person.id,
                    asked.event.person.username,
                )
                for asked in decided
            ],
        )
        with_rules = [a for a in decided if a.context.campaign.desk == DeskMode.RULES]
        past = knowledge.past_of(self._connection, {asked.key: None for asked in with_rules})
        for asked in decided:
            asked.settings = settings[asked.context.campaign.id]
            self._decide(asked, blocked, past)
        self._greet([asked for asked in decided if _is_greeted(asked, self._now)])

    def save(self) -> int:
        """Write everything else; no statement returns rows. Returns how many are greeted."""
        rows = [self._values(asked) for asked in self._asked]
        insert_rows(self._connection, _REQUESTS, _COLUMNS, rows, ignore_conflicts=True)
        if rows:
            again = [(row[3], row[4], row[5]) for row in rows]
            write_rows(self._connection, statements.asking_again, "csa", again, now=self._now)
            self._count_hits()
        self._save_joins()
        self._save_starts()
        return sum(asked.message_id is not None for asked in self._asked)

    def _save_joins(self) -> None:
        asked = {asked.context.campaign.chat_id for asked in self._asked}
        joined = [
            (context.campaign.chat_id, event.person.id, event.date)
            for context, event in self._joined
            if context.campaign.has_requests or context.campaign.chat_id in asked
        ]
        if joined:
            write_rows(self._connection, statements.joining, "csd", joined)

    def _save_starts(self) -> None:
        """Whoever starts the bot answers a question, and may have become a lead by it."""
        asked = {asked.context.campaign.id for asked in self._asked}
        starts = [
            (key, context)
            for key, context in sorted(self._started.items())
            if context.campaign.has_requests or key[0] in asked
        ]
        led = [
            (context.campaign.account_id, *key, context.id, lead.source_id, lead.click_id,
             _came(lead))
            for key, context in starts
            if context.id is not None and (lead := context.lead)
        ]  # fmt: skip
        if led:
            write_rows(self._connection, statements.starting, "acslrkw", led)
        answers = [key for key, context in starts if context.campaign.desk == DeskMode.RULES]
        if answers:
            write_rows(self._connection, statements.answering, "cs", answers, now=self._now)

    def _queries(self) -> list[tuple[int, str]]:
        queries = [
            (each.context.campaign.bot_id, each.event.evidence.query) for each in self._asked
        ]
        return [(bot, query) for bot, query in queries if query]

    def _decide(self, asked: _Asked, blocked: set[tuple[int, int]], past: History) -> None:
        campaign, settings = asked.context.campaign, asked.settings
        assert settings is not None  # noqa: S101 - `prepare` has set it
        is_blocked = (campaign.account_id, asked.event.person.id) in blocked
        facts = _facts(asked, settings, past, is_blocked=is_blocked, now=self._now)
        if campaign.desk == DeskMode.ALL:
            asked.decision = rules.let_all_in(facts)
        else:
            asked.decision = rules.decide(settings.rules, facts, self._chance())

    def _greet(self, asked: Sequence[_Asked]) -> None:
        if not asked:
            return
        clicks = {each.context.lead.click_id for each in asked if each.context.lead} - {None}
        rows = self._connection.execute(_TOKENS, {"clicks": list(clicks)}) if clicks else ()
        tokens = {row.id: row.token for row in rows}
        greetings = [
            Greeting(
                each.context.campaign,
                each.settings.bot_username if each.settings else "",
                _asker(each, tokens),
                each.decision.asks,
                each.event.date + greeting.WINDOW_SECONDS,
            )
            for each in asked
        ]
        ids = greeting.write(self._connection, greetings, self._now)
        for each, message_id in zip(asked, ids, strict=True):
            each.message_id = message_id

    def _count_hits(self) -> None:
        rules_used = [asked.decision.rule_id for asked in self._asked]
        hits = Counter(rule for rule in rules_used if rule)
        if hits:
            write_rows(
                self._connection, statements.counting_hits, ("rule", "hits"), sorted(hits.items())
            )

    def _values(self, asked: _Asked) -> tuple[Any, ...]:
        context, event, decision = asked.context, asked.event, asked.decision
        campaign, person, evidence = context.campaign, event.person, event.evidence
        lead = context.lead
        delay = decision.delay
        state = RequestState.WAITING if delay is None else RequestState.SCHEDULED
        return (
            campaign.account_id, campaign.id, campaign.bot_id, campaign.chat_id, person.id,
            event.date, evidence.user_chat, person.username, person.first_name, person.last_name,
            person.language, person.premium, cipher.encrypt(evidence.bio) if evidence.bio else None,
            evidence.link_key, evidence.link_name, lead.source_id if lead else None,
            lead.click_id if lead else None, int(_came(lead)), evidence.query, int(state),
            int(decision.action), decision.asks, decision.rule_id or None,
            int(DecidedBy.NOBODY if delay is None else DecidedBy.RULE), self._due(asked), 0, "", "",
            asked.message_id, context.id,
        )  # fmt: skip

    def _due(self, asked: _Asked) -> float | None:
        if asked.decision.delay is None or asked.settings is None:
            return None
        campaign = asked.context.campaign
        delay = asked.decision.delay
        if asked.message_id is not None:
            delay = max(delay, GREETING_SECONDS)
        quiet = campaign.desk_quiet_from, campaign.desk_quiet_to
        return rules.after_quiet(self._now + delay, asked.settings.zone, quiet)


def _asker(asked: _Asked, tokens: Mapping[int, str]) -> Asker:
    person, lead = asked.event.person, asked.context.lead
    return Asker(
        subscriber=person.id,
        user_chat=asked.event.evidence.user_chat,
        asked=asked.event.date,
        username=person.username,
        first_name=person.first_name,
        last_name=person.last_name,
        language=person.language,
        premium=person.premium,
        click=lead.click if lead else "",
        token=tokens.get(lead.click_id or 0, "") if lead else "",
        lead_id=asked.context.id,
    )


def _is_on(campaign: Any) -> bool:
    return bool(campaign.desk != DeskMode.OFF and campaign.status != CampaignStatus.PAUSED)


def _is_greeted(asked: _Asked, now: float) -> bool:
    """Whether there is something to say, somewhere to say it, and time for it."""
    campaign = asked.context.campaign
    says = asked.decision.asks or campaign.greet_on in _GREETED_AT_ONCE
    can = bool(asked.event.evidence.user_chat) and greeting.has_content(campaign)
    return says and can and now < asked.event.date + greeting.WINDOW_SECONDS


def _came(lead: Lead | None) -> int:
    return int(came(lead.how, lead.click, lead.source_id)) if lead else 0


def _facts(
    asked: _Asked, settings: DeskSettings, past: History, *, is_blocked: bool, now: float
) -> Facts:
    person, evidence, lead = asked.event.person, asked.event.evidence, asked.context.lead
    minute, weekday = rules.minute_and_weekday(asked.event.date, settings.zone)
    declined = past.declined.get(asked.key)
    joined_before = lead is not None and lead.join_time is not None
    return Facts(
        subscriber=person.id,
        campaign=asked.context.campaign.id,
        came=came(lead.how, lead.click, lead.source_id) if lead else Came.UNKNOWN,
        source=lead.source_id if lead else None,
        link_name=evidence.link_name,
        premium=person.premium,
        language=person.language,
        username=person.username,
        name=f"{person.first_name} {person.last_name}",
        bio=evidence.bio,
        is_blocked=is_blocked,
        declined_days=None if declined is None else (now - declined) / DAY,
        was_member=joined_before or asked.key in past.members,
        minute=minute,
        weekday=weekday,
    )
