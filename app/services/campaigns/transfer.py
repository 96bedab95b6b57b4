"""Transfers of bots and campaigns to other accounts: tokens, requests, and calling them off.

A request is judged at once and takes effect later, so that its owner can call it off; what it
does then is in `handover`. Without leads a transfer deletes them for good, which nothing can
reverse, so such a one waits for a day.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import structlog
from sqlalchemy import delete, or_, select, update

from app.crypto import hash_secret, new_secret
from app.domain import tariffs
from app.domain.time_ranges import DAY
from app.errors import BadParameter, NotFound, translatable
from app.extensions import db
from app.models import Account, AccountStatus, Transfer, TransferState, TransferToken
from app.services.accounts import accounts, keys, notifications
from app.services.accounts.accounts import Caller
from app.services.campaigns import handover

log = structlog.get_logger()

#: How long a transfer waits; one without leads longer.
WAIT_SECONDS: Final = 600.0
WAIT_WITHOUT_LEADS_SECONDS: Final = float(DAY)


@dataclass(frozen=True, slots=True)
class Recipient:
    """The account that a token belongs to. `slots`: campaigns it may still have, -1 unlimited."""

    name: str
    paid: bool
    slots: int


def token_of(account_id: int) -> str:
    """The account's receiving token, made when it is first asked for."""
    row = db.session.get(TransferToken, account_id)
    if row is None:
        accounts.lock(account_id)  # two at once must be told the same token
        row = db.session.get(TransferToken, account_id)
    return row.token if row else renew_token(account_id)


def renew_token(account_id: int) -> str:
    """Replace the receiving token; the old one is dead at once."""
    accounts.lock(account_id)
    token = new_secret()
    row = db.session.get(TransferToken, account_id) or TransferToken(account_id=account_id)
    row.token, row.token_hash = token, hash_secret(token)
    db.session.add(row)
    db.session.commit()
    return token


def resolve(token: str) -> Recipient:
    """Return the account that would receive. Raises NotFound."""
    account = db.session.get_one(Account, _owner(token))
    living = accounts.living_campaigns(account.id)
    return Recipient(
        account.name, handover.is_paid(account), tariffs.free_slots(account.tariff, living)
    )


class ListedTransfer(NamedTuple):
    """A transfer as one of its two accounts sees it; `name` is the other's."""

    transfer: Transfer
    incoming: bool
    name: str


def give_bot(caller: Caller, token: str, bot_id: int, *, with_leads: bool) -> None:
    """Ask for a bot to go to another account, with all its campaigns that are not deleted.

    Raises NotFound, RecipientUnpaid, PlanLimit, BadKey, or BadParameter for the account's own
    token and for what is being given to somebody else.
    """
    asked = Transfer(account_id=caller.id, bot_id=bot_id, with_leads=with_leads)
    _ask(caller, token, asked)


def give_campaign(
    caller: Caller, token: str, campaign_id: int, *, to_bot: int | None, with_leads: bool
) -> None:
    """Ask for a campaign to go to a bot of the recipient's that administers its chat.

    Raises as `give_bot`, and NotAdminThere: there is none, or `to_bot` is not one.
    """
    asked = Transfer(account_id=caller.id, campaign_id=campaign_id, with_leads=with_leads)
    asked.to_bot = to_bot
    _ask(caller, token, asked)


def listed(
    account_id: int, *, limit: int | None = None, offset: int = 0
) -> Sequence[ListedTransfer]:
    """Return the transfers from and to an account, newest first."""
    rows = db.session.scalars(
        select(Transfer)
        .where(or_(Transfer.account_id == account_id, Transfer.recipient_id == account_id))
        .order_by(Transfer.id.desc())
        .limit(limit)
        .offset(offset)
    ).all()
    others = {row.recipient_id if row.account_id == account_id else row.account_id for row in rows}
    query = select(Account.id, Account.name).where(Account.id.in_(others))
    names = {row.id: row.name for row in db.session.execute(query)}
    return [
        ListedTransfer(row, True, names[row.account_id])
        if row.recipient_id == account_id
        else ListedTransfer(row, False, names[row.recipient_id])
        for row in rows
    ]


def cancel(account_id: int, transfer_id: int) -> None:
    """Call off a transfer of the account's. Raises NotFound if none waits. Commits."""
    if not call_off(account_id, transfer_id, time.time()):
        raise NotFound
    db.session.commit()


def call_off(account_id: int, transfer_id: int, now: float) -> bool:
    """Call off a transfer. False if it does not wait any more. No commit."""
    accounts.lock(account_id)
    row = db.session.scalar(
        delete(Transfer)
        .where(Transfer.id == transfer_id, Transfer.account_id == account_id)
        .where(Transfer.state == TransferState.PENDING)
        .returning(Transfer)
    )
    if row is None:
        return False
    notifications.transfer(account_id, "called_off", handover.notice_values(row), now)
    log.info("transfer.called_off", transfer=transfer_id, account=account_id)
    return True


def take_back(account_id: int, login_id: int, now: float) -> None:
    """Call off what a login has asked for, and have what was done reversed. No commit.

    What was done longer ago than `keys.UNDO_SECONDS` stays. The caller has locked the account.
    `settlement.settle` reverses a moment later.
    """
    mine = (Transfer.account_id == account_id, Transfer.login_id == login_id)
    db.session.execute(delete(Transfer).where(*mine, Transfer.state == TransferState.PENDING))
    db.session.execute(
        update(Transfer)
        .where(*mine, Transfer.state == TransferState.DONE)
        .where(Transfer.settled > now - keys.UNDO_SECONDS)
        .values(state=TransferState.REVERSING, due=now)
    )


def _ask(caller: Caller, token: str, asked: Transfer) -> None:
    recipient = _owner(token)
    if recipient == caller.id:
        raise BadParameter("token", translatable("is your own; ask the recipient for theirs"))
    accounts.lock(caller.id)
    keys.require_not_undone(caller.login_id)
    now = time.time()
    asked.recipient_id, asked.login_id, asked.created = recipient, caller.login_id, now
    asked.due = now + (WAIT_SECONDS if asked.with_leads else WAIT_WITHOUT_LEADS_SECONDS)
    asked.title = handover.check(asked)
    waiting = db.session.scalar(
        select(Transfer)
        .where(Transfer.account_id == caller.id, Transfer.state == TransferState.PENDING)
        .where(Transfer.bot_id.is_not_distinct_from(asked.bot_id))
        .where(Transfer.campaign_id.is_not_distinct_from(asked.campaign_id))
    )
    if waiting is not None:
        terms = [(row.recipient_id, row.to_bot, row.with_leads) for row in (waiting, asked)]
        db.session.rollback()
        if terms[0] != terms[1]:
            raise BadParameter(
                "id", translatable("waits to be transferred already; call that off first")
            )
        return
    db.session.add(asked)
    db.session.flush()
    notifications.transfer(caller.id, "asked", handover.notice_values(asked), now)
    log.info("transfer.asked", transfer=asked.id, account=caller.id, recipient=recipient)
    db.session.commit()


def _owner(token: str) -> int:
    """Return the active account with this token. Raises NotFound."""
    owner = db.session.scalar(
        select(TransferToken.account_id)
        .join(Account, Account.id == TransferToken.account_id)
        .where(
            TransferToken.token_hash == hash_secret(token), Account.status == AccountStatus.ACTIVE
        )
    )
    if owner is None:
        raise NotFound(translatable("this token belongs to no account; ask for it again"))
    return owner
