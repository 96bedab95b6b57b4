"""Settle: what Telegram's answer to a decision means, and writing it down.

`domain.join_requests.answers` has the table. Whoever lost the lease writes nothing: the request
was reclaimed, asked again, or seen to join meanwhile, which the next claim notes.
"""

from typing import Any, Final

import structlog
from sqlalchemy import update

from app.domain.join_requests import answers
from app.domain.join_requests.answers import Outcome
from app.domain.join_requests.rules import Verdict
from app.domain.telegram.api_errors import Meaning
from app.extensions import db
from app.models import DecidedBy, JoinRequest, RequestState
from app.outbound.telegram import TelegramRefused
from app.services.bots import rights, webhooks
from app.services.clicks.invites import pace
from app.services.join_requests.telling import notes
from app.services.join_requests.telling.claim import ClaimedRequest

log = structlog.get_logger()

NO_ANSWER: Final = "no answer came; Telegram may have done it"
_NO_ADMIN: Final = frozenset({Meaning.CHAT_LOST, Meaning.UNREACHABLE})


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
    if _set(claimed, commit=False, state=state, decided=now, due=None, reason=""):
        notes.write(db.session.connection(), claimed.id, now)
    db.session.commit()


def _ended(claimed: ClaimedRequest, ending: Outcome, fault: TelegramRefused, now: float) -> None:
    """The request is no more, or cannot be decided at all.

    A call that is repeated may find what the first one did, whose answer was lost: a person who
    is inside, or a request that was declined. That is noted as ours.
    """
    states = {
        Outcome.GONE: RequestState.GONE,
        Outcome.INSIDE: RequestState.JOINED,
        Outcome.FAILED: RequestState.FAILED,
    }
    values: dict[str, Any] = {"reason": fault.description[:200]}
    if ending is not Outcome.FAILED and claimed.tries == 1:  # nobody of ours can have done it
        inside = ending is Outcome.INSIDE
        values["decided_by"] = int(DecidedBy.OTHER_ADMIN if inside else DecidedBy.NOBODY)
    looked_for = Outcome.INSIDE if claimed.action is Verdict.APPROVE else Outcome.GONE
    is_noted = claimed.tries > 1 and ending is looked_for
    changed = _set(claimed, commit=False, state=states[ending], decided=now, due=None, **values)
    if changed and is_noted:
        notes.write(db.session.connection(), claimed.id, now)
    db.session.commit()


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
