"""Settle: what Telegram's answer to a decision means, and writing it down.

`domain.join_requests.answers` has the table. Whoever lost the lease writes nothing: the request
was reclaimed, asked again, or seen to join meanwhile.
"""

from __future__ import annotations

from typing import Any, Final

import structlog
from sqlalchemy import select, update

from app.database.rows import insert_rows
from app.domain.join_requests import answers
from app.domain.join_requests.answers import Outcome
from app.domain.join_requests.rules import Verdict
from app.domain.telegram.api_errors import Meaning
from app.extensions import db
from app.models import (
    Action,
    Bot,
    Campaign,
    DecidedBy,
    GreetOn,
    JoinRequest,
    JournalEntry,
    RequestRule,
    RequestState,
    table_of,
)
from app.outbound.telegram import TelegramRefused
from app.services.bots import rights, webhooks
from app.services.clicks.invites import pace
from app.services.join_requests import greeting
from app.services.join_requests.greeting import Asker, Greeting
from app.services.join_requests.telling.claim import ClaimedRequest

log = structlog.get_logger()

NO_ANSWER: Final = "no answer came; Telegram may have done it"
#: After the approval a person is greeted for so long; it only arrives if they started the bot.
AFTERWARDS_SECONDS: Final = 600.0
_JOURNAL: Final = table_of(JournalEntry)
_JOURNAL_COLUMNS: Final = (
    "account_id bot_id chat_id campaign_id lead_id subscriber username action time update_id"
    " decision"
).split()
_NO_ADMIN: Final = frozenset({Meaning.CHAT_LOST, Meaning.UNREACHABLE})
_GREETED_AFTERWARDS: Final = frozenset({GreetOn.APPROVED, GreetOn.BOTH})


def record(claimed: ClaimedRequest, fault: Exception | None, now: float) -> None:
    """Store what became of a decision at `now`. Commits.

    `fault` is the TelegramRefused or TelegramUnreachable that the call raised, None if none.
    """
    if fault is None:
        _done(claimed, now)
        return
    if not isinstance(fault, TelegramRefused):
        log.warning("request.not_told", request=claimed.id, reason=str(fault))
        _set(claimed, state=RequestState.SCHEDULED, due=now + answers.pause(claimed.tries),
             reason=NO_ANSWER)  # fmt: skip
        return
    ending = answers.ending(fault.meaning, fault.description)
    log.info("request.refused", request=claimed.id, ending=ending.value, reason=str(fault))
    if ending in {Outcome.GONE, Outcome.INSIDE, Outcome.FAILED}:
        _ended(claimed, ending, fault, now)
    else:
        _postpone(claimed, ending, fault, now)


def _done(claimed: ClaimedRequest, now: float) -> None:
    is_approval = claimed.action is Verdict.APPROVE
    state = RequestState.APPROVED if is_approval else RequestState.DECLINED
    is_ours = _set(claimed, commit=False, state=state, decided=now, due=None, reason="")
    if not is_ours and not _is_seen(claimed):
        db.session.rollback()
        return
    _note(claimed, now)
    if is_approval:
        _greet(claimed, now)
    db.session.commit()


def _is_seen(claimed: ClaimedRequest) -> bool:
    """Whether the update of the join was faster than the note of the approval that caused it."""
    state = select(JoinRequest.state).where(JoinRequest.id == claimed.id)
    return db.session.scalar(state) == RequestState.JOINED


def _ended(claimed: ClaimedRequest, ending: Outcome, fault: TelegramRefused, now: float) -> None:
    """The request is no more, or cannot be decided at all."""
    states = {
        Outcome.GONE: RequestState.GONE,
        Outcome.INSIDE: RequestState.JOINED,
        Outcome.FAILED: RequestState.FAILED,
    }
    values: dict[str, Any] = {"reason": fault.description[:200]}
    if ending is not Outcome.FAILED and claimed.tries == 1:  # nobody of ours can have done it
        inside = ending is Outcome.INSIDE
        values["decided_by"] = int(DecidedBy.OTHER_ADMIN if inside else DecidedBy.NOBODY)
    _set(claimed, state=states[ending], decided=now, due=None, **values)


def _postpone(claimed: ClaimedRequest, ending: Outcome, fault: TelegramRefused, now: float) -> None:
    """The decision waits: for the bot's rights, for the end of a flood wait, or for a new try."""
    bot_id, chat_id = claimed.bot_id, claimed.chat_id
    pause = answers.pause(claimed.tries) if ending is Outcome.AGAIN else 0.0
    _set(claimed, state=RequestState.SCHEDULED, due=now + pause, tries=claimed.tries - 1)
    match ending:
        case Outcome.FLOOD:
            pace.flood_wait(bot_id, fault.retry_after or 1, claimed.slow_until, now)
        case Outcome.BOT_DEAD:
            webhooks.pause(bot_id, "Telegram refused the token", claimed.token)
        case Outcome.MOVED if fault.migrate_to is not None:
            rights.chat_moved(bot_id, chat_id, fault.migrate_to, now)
            db.session.execute(
                update(JoinRequest)
                .where(JoinRequest.campaign_id == claimed.campaign_id)
                .where(JoinRequest.chat_id == chat_id)
                .values(chat_id=fault.migrate_to)
                .execution_options(synchronize_session=False)
            )
            db.session.commit()
        case Outcome.NO_RIGHTS:
            is_admin = fault.meaning not in _NO_ADMIN
            rights.may_not_invite(bot_id, chat_id, is_admin=is_admin, now=now)
            db.session.commit()


def _note(claimed: ClaimedRequest, now: float) -> None:
    """Write the decision into the journal. Nothing is committed here."""
    row = db.session.execute(
        select(JoinRequest.account_id, JoinRequest.lead_id, JoinRequest.username).where(
            JoinRequest.id == claimed.id
        )
    ).one()
    is_approval = claimed.action is Verdict.APPROVE
    action = Action.APPROVED if is_approval else Action.DECLINED
    values = (
        row.account_id, claimed.bot_id, claimed.chat_id, claimed.campaign_id, row.lead_id,
        claimed.subscriber, row.username, int(action), int(now), 0, _words(claimed, now)[:200],
    )  # fmt: skip
    insert_rows(db.session.connection(), _JOURNAL, _JOURNAL_COLUMNS, [values])


def _words(claimed: ClaimedRequest, now: float) -> str:
    """Say whose decision it was, and after how long."""
    verb = "approved" if claimed.action is Verdict.APPROVE else "declined"
    after = f"{max(0, int(now) - claimed.asked)} s after the request"
    if claimed.decided_by == DecidedBy.PERSON:
        return f"{verb} by a person, {after}"
    if claimed.rule_id is None:
        return f"{verb} by the desk, {after}"
    query = select(RequestRule.position).where(RequestRule.id == claimed.rule_id)
    position = db.session.scalar(query)
    which = "a rule of the past" if position is None else f"rule {position}"
    return f"{verb} by {which}, {after}"


def _greet(claimed: ClaimedRequest, now: float) -> None:
    """Greet who was let in, if the campaign does so. Nothing is committed here."""
    campaign = db.session.get_one(Campaign, claimed.campaign_id)
    if campaign.greet_on not in _GREETED_AFTERWARDS or not campaign.greet.strip():
        return
    row = db.session.execute(select(JoinRequest).where(JoinRequest.id == claimed.id)).scalar_one()
    asker = Asker(
        subscriber=row.subscriber,
        user_chat=row.user_chat or row.subscriber,
        asked=row.asked,
        username=row.username,
        first_name=row.first_name,
        last_name=row.last_name,
        language=row.language,
        premium=row.premium,
        lead_id=row.lead_id,
    )
    greetings = [
        Greeting(campaign, _username(claimed.bot_id), asker, False, now + AFTERWARDS_SECONDS)
    ]
    greeting.write(db.session.connection(), greetings, now)


def _username(bot_id: int) -> str:
    return db.session.scalar(select(Bot.username).where(Bot.id == bot_id)) or ""


def _set(claimed: ClaimedRequest, *, commit: bool = True, **values: Any) -> bool:
    """Change the request if the lease still holds. Returns whether it did."""
    state = values.pop("state")
    changed = db.session.connection().execute(
        update(JoinRequest)
        .where(JoinRequest.id == claimed.id, JoinRequest.lease == claimed.lease)
        .where(JoinRequest.state == RequestState.SENDING)
        .values(state=int(state), lease=None, **values)
    )
    if commit:
        db.session.commit()
    return bool(changed.rowcount)
