"""Processing: stored updates are parsed and applied, a batch in one transaction."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import structlog
from sqlalchemy import Connection, Row

from app.database.faults import OUTAGES
from app.database.pipelines import pipelined
from app.domain.telegram import updates
from app.domain.telegram.payments import PreCheckout, StarsPayment, SupportAsked
from app.domain.telegram.updates import (
    BotBlockedChanged,
    ButtonPressed,
    ChatMoved,
    Ignored,
    LeadEvent,
    RightsChanged,
)
from app.extensions import db, wakeup
from app.models import UpdateState
from app.observability.traces import traces
from app.queues import Queue
from app.services.billing import stars
from app.services.bots import rights
from app.services.clicks.invites import arrivals
from app.services.clicks.invites.arrivals import ByInvite
from app.services.clicks.starts import with_evidence
from app.services.delivery.loop import Delivery
from app.services.leads.batch import LeadBatch
from app.services.leads.campaign_index import CampaignIndex
from app.services.messages import reachability
from app.services.messages.callbacks import CALLBACK_ANSWERS
from app.services.service_bot import conversation
from app.services.updates import inbox
from app.services.updates.inbox import ClaimedUpdates, StoredUpdate, UpdateResult
from app.services.updates.update_faults import Failed, roll_back, try_on

log = structlog.get_logger()

BATCH: Final = 400
SENT_AT_ONCE: Final = 32  # lead events of a batch, beyond which its postbacks wait for others

Handler = Callable[[int, Any, float], None]

#: What handles an update that moves no lead: called with the bot's id, the
#: parsed update and the time. Lead events have `_move_leads`. No handler commits.
_HANDLERS: Final[Mapping[type, Handler]] = {
    RightsChanged: rights.rights_changed,
    ChatMoved: lambda bot_id, chat, now: rights.chat_moved(bot_id, chat.old, chat.new, now),
    BotBlockedChanged: lambda bot_id, change, _now: reachability.record_block_change(
        bot_id, change
    ),
    ButtonPressed: conversation.on_callback,
    PreCheckout: stars.on_payment_update,
    StarsPayment: stars.on_payment_update,
    SupportAsked: stars.on_payment_update,
}


class _Incoming(NamedTuple):
    """A lead event, the stored update that tells of it, and what an invite link tells of it."""

    update: StoredUpdate
    event: LeadEvent
    by_invite: ByInvite | None = None


def process_updates(
    *,
    seconds: float,
    stop: Callable[[], bool] = lambda: False,
    pulse: Callable[[], None] = lambda: None,
    clock: Callable[[], float] = time.time,
    delivery: Delivery | None = None,
) -> int:
    """Process waiting updates until there are none, `seconds` are over or `stop()` is true.

    Calls `pulse` before each batch. `delivery` sends at once what a small batch brings.
    Returns how many updates were finished. A batch that fails is processed again in
    halves, and the update that fails alone is quarantined with its traceback. Raises
    the fault if it is of the database, its driver or a network (`OUTAGES`); nothing is
    quarantined for that.
    """
    end = time.monotonic() + seconds
    finished = 0
    parts: list[list[StoredUpdate]] = []  # of batches that failed, the next one last
    batch = ClaimedUpdates([], after=0, has_more=True)
    while (parts or batch.has_more) and not stop() and time.monotonic() < end:
        pulse()
        connection = db.session.connection()
        if parts:
            updates = inbox.claim_again(connection, parts.pop())
        else:
            batch = inbox.claim(connection, BATCH, batch.after)
            updates = batch.updates
        if not updates:
            db.session.rollback()
            continue
        failed = try_on(process_batch, updates, clock(), delivery)
        if failed is None:
            finished += len(updates)
        elif (again := _parts_of_failed(updates, failed, delivery)) is not None:
            parts += again
        else:
            finished += _quarantine(updates[0], failed)
    return finished


def _parts_of_failed(
    updates: list[StoredUpdate], failed: Failed, delivery: Delivery | None
) -> list[list[StoredUpdate]] | None:
    """Roll back; return how to process a batch again, the next part last, or None.

    None for an update that failed alone. The whole batch if postbacks were settled along with
    it: the fault may have been theirs, and the next time they are not. Raises the error if
    it is the database's own.
    """
    reason = roll_back(failed).splitlines()[-1]
    if delivery is not None and delivery.is_along:
        log.warning("postbacks.settle_failed", fault=reason)
        return [updates]
    if len(updates) == 1:
        return None
    log.warning("updates.batch_failed", fault=reason)
    middle = len(updates) // 2
    return [updates[middle:], updates[:middle]]


def process_batch(
    stored: Sequence[StoredUpdate], now: float, delivery: Delivery | None = None
) -> None:
    """Process updates that the transaction at hand has claimed, and commit it.

    `delivery` settles along with it, and sends at once what a small batch brings.
    """
    CALLBACK_ANSWERS.forget()  # left over if the last batch was rolled back
    connection = db.session.connection()
    lead_events, results = _dispatch(stored, now)
    db.session.flush()
    campaigns = CampaignIndex(connection, {update.bot_id for update in stored}, now)
    batch = LeadBatch(connection, now)
    lead_events = _with_evidence(connection, lead_events, now)
    unmatched = _move_leads(batch, campaigns, lead_events, results)
    replies = _offer_to_service_bot(unmatched, campaigns.suspended_bots, results, now)
    may_send = delivery is not None and 0 < len(lead_events) <= SENT_AT_ONCE
    if delivery is not None:  # first: a join goes out at once if what its start brought is settled
        delivery.settle_along(connection, now)
    lease = delivery.lease(now) if delivery and may_send else None
    in_hand = batch.prepare(lease)
    db.session.flush()
    if delivery is not None:
        delivery.read_touches(connection, in_hand)
    with pipelined(connection):
        reachability.mark_reachable(connection, _people_who_started(lead_events))
        staged = batch.save(has_leased=lease is not None)
        inbox.finish(connection, results)
    db.session.commit()
    if delivery is not None:
        delivery.take_up(in_hand, now)
    if staged.postbacks:
        wakeup.remind(Queue.POSTBACKS)
    if staged.messages or replies:
        wakeup.remind(Queue.MESSAGES)
    CALLBACK_ANSWERS.send()
    if traces.on:
        traces.batch_decided(stored, results, [*in_hand, *staged.reports], now)


def _dispatch(
    stored: Sequence[StoredUpdate], now: float
) -> tuple[list[_Incoming], list[UpdateResult]]:
    """Parse all updates, then handle those that move no lead. Returns the others, and results.

    Chats and rights change first, whatever the order of arrival, so that the
    lead events of the batch already find their campaigns.
    """
    lead_events, handled, results = [], [], []
    for update in stored:
        parsed = try_on(_parse, update)
        if isinstance(parsed, Failed):
            results.append(_quarantined(update, parsed))
        elif isinstance(parsed, LeadEvent):
            lead_events.append(_Incoming(update, parsed))
        elif isinstance(parsed, Ignored):
            results.append(UpdateResult(update.id, UpdateState.IGNORED, parsed.reason))
        else:
            handled.append((update, parsed))
    for update, parsed in handled:
        _HANDLERS[type(parsed)](update.bot_id, parsed, now)
        results.append(UpdateResult(update.id, UpdateState.DONE))
    return lead_events, results


def _parse(update: StoredUpdate) -> updates.ParsedUpdate:
    return updates.parse(updates.decode(update.body))


def _move_leads(
    batch: LeadBatch,
    campaigns: CampaignIndex,
    incoming: Sequence[_Incoming],
    results: list[UpdateResult],
) -> list[_Incoming]:
    """Apply lead events and add their results. Returns those that no campaign is for."""
    matched = [(campaigns.find(entry.update.bot_id, entry.event), entry) for entry in incoming]
    batch.load(
        [(owner, entry.event, entry.by_invite) for owner, entry in matched if owner is not None]
    )
    for campaign, entry in matched:
        if campaign is not None:
            results.append(_advance(batch, campaign, entry))
    return [entry for campaign, entry in matched if campaign is None]


def _people_who_started(incoming: Sequence[_Incoming]) -> list[tuple[int, int]]:
    """The bot and the person of each start."""
    starts = [entry for entry in incoming if entry.event.chat is None]
    return [(entry.update.bot_id, entry.event.person.id) for entry in starts]


def _with_evidence(
    connection: Connection, incoming: Sequence[_Incoming], now: float
) -> list[_Incoming]:
    """Fill in the clicks of tokens, and what invite links tell of those who come by them."""
    pairs = [arrivals.Incoming(entry.update.bot_id, entry.event) for entry in incoming]
    evidence = with_evidence(connection, pairs, now)
    return [_Incoming(entry.update, *pair) for entry, pair in zip(incoming, evidence, strict=True)]


def _advance(batch: LeadBatch, campaign: Row[Any], incoming: _Incoming) -> UpdateResult:
    failed = try_on(batch.apply, campaign, incoming.event, incoming.by_invite)
    if isinstance(failed, Failed):
        if isinstance(failed.error, OUTAGES):  # the transaction may be broken
            raise failed.error
        return _quarantined(incoming.update, failed)
    return UpdateResult(incoming.update.id, UpdateState.DONE)


def _offer_to_service_bot(
    unmatched: Sequence[_Incoming],
    suspended_bots: set[int],
    results: list[UpdateResult],
    now: float,
) -> int:
    """Let the service bot answer starts that name no campaign. Returns how many it answered."""
    starts = [entry for entry in unmatched if entry.event.chat is None]
    flags = conversation.on_start([(entry.update.bot_id, entry.event) for entry in starts], now)
    answered = {entry.update.id for entry, flag in zip(starts, flags, strict=True) if flag}
    for entry in unmatched:
        update = entry.update
        if update.id in answered:
            results.append(UpdateResult(update.id, UpdateState.DONE))
        else:
            is_suspended = update.bot_id in suspended_bots
            reason = "the account is suspended" if is_suspended else "no living campaign for it"
            results.append(UpdateResult(update.id, UpdateState.IGNORED, reason))
    return len(answered)


def _quarantine(culprit: StoredUpdate, failed: Failed) -> int:
    """Quarantine the update that failed alone. Returns 0 if another worker has taken it since."""
    connection = db.session.connection()
    claimed = inbox.claim_again(connection, [culprit])
    for update in claimed:
        inbox.finish(connection, [_quarantined(update, failed)])
        log.error("update.quarantined", update=update.id, bot=update.bot_id, fault=failed.trace)
    db.session.commit()
    return len(claimed)


def _quarantined(update: StoredUpdate, failed: Failed) -> UpdateResult:
    failed.report()
    return UpdateResult(update.id, UpdateState.QUARANTINED, failed.trace)
