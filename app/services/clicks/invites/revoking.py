"""Revokes invite links whose person came.

A link with a limit of one member lets somebody else in when that member leaves.
"""

from typing import Any, Final, NamedTuple

import structlog
from sqlalchemy import text, update

from app.domain.telegram.api_errors import Meaning
from app.extensions import cipher, db
from app.models import BotStatus, Invite, InviteState
from app.outbound.telegram import TelegramRefused, TelegramUnreachable
from app.services.bots import rights, webhooks
from app.services.clicks.invites import pace, pool
from app.services.clicks.invites.minting import Maker

log = structlog.get_logger()

METHOD: Final = "revokeChatInviteLink"
#: How long a link is left to the process that revokes it, in seconds.
LEASE_SECONDS: Final = 30.0
#: Seconds until the next try, by the number of tries so far; the last one for all others.
PAUSES: Final = (5.0, 30.0, 300.0, 3600.0)

#: SQL that finds what is to be revoked at `:now`.
DUE: Final = f"""
    SELECT invite.id, invite.bot_id, invite.chat_id, invite.link, invite.due, invite.tries
    FROM invite JOIN bot ON bot.id = invite.bot_id
    WHERE invite.state = {InviteState.TO_REVOKE:d} AND invite.due <= :now
        AND bot.status <> {BotStatus.DELETED:d} AND bot.paused = '' AND bot.quiet_until <= :now
"""  # noqa: S608 - our own constants
_CLAIM: Final = text(f"{DUE} ORDER BY invite.due LIMIT :limit")
_LEASE: Final = text("""
    UPDATE invite SET due = :until, tries = tries + 1 WHERE id = :id AND due = :due
""")


class Revoked(NamedTuple):
    """A link that is being revoked."""

    id: int
    maker: Maker
    chat_id: int
    link: str
    tries: int

    @property
    def params(self) -> dict[str, Any]:
        """The parameters of the call."""
        return {"chat_id": self.chat_id, "invite_link": self.link}


def claim(now: float, most: int) -> list[Revoked]:
    """Take links that are due at `now`, as far as the pace of their bots allows. Commits."""
    rows = db.session.execute(_CLAIM, {"now": now, "limit": most}).all()
    db.session.rollback()
    claimed = []
    for row in rows:
        maker = pool.find_maker(row.bot_id)
        if maker is None or not pace.allows_call(row.bot_id, row.chat_id, maker.slow_until, now):
            continue
        lease = {"until": now + LEASE_SECONDS, "id": row.id, "due": row.due}
        is_ours = db.session.connection().execute(_LEASE, lease).rowcount == 1
        db.session.commit()
        if not is_ours:
            continue
        link = cipher.decrypt_or_none(row.link)
        if link is None:  # it cannot be named to Telegram any more
            _settle(row.id, InviteState.GONE)
            continue
        claimed.append(Revoked(row.id, maker, row.chat_id, link, row.tries + 1))
    return claimed


def record(revoked: Revoked, reply: Any, now: float) -> None:
    """Store what became of a revocation. Commits.

    `reply` is the call's result, or the TelegramRefused or TelegramUnreachable that it raised.
    """
    if isinstance(reply, TelegramUnreachable):
        _set(revoked.id, due=now + PAUSES[min(revoked.tries, len(PAUSES)) - 1])
    elif isinstance(reply, TelegramRefused):
        _refused(revoked, reply, now)
    else:
        _settle(revoked.id, InviteState.GONE)


def _refused(revoked: Revoked, refusal: TelegramRefused, now: float) -> None:
    """Every refusal of a link that is not ours to wait out is final: mostly it is gone already."""
    bot_id, maker = revoked.maker.bot_id, revoked.maker
    match refusal.meaning:
        case Meaning.FLOOD:
            pace.flood_wait(bot_id, refusal.retry_after or 1, maker.slow_until, now)
            _set(revoked.id, due=now)
        case Meaning.BOT_DEAD:
            webhooks.pause(bot_id, "Telegram refused the token", maker.token)
            _set(revoked.id, due=now)
        case Meaning.MIGRATED if refusal.migrate_to is not None:
            rights.chat_moved(bot_id, revoked.chat_id, refusal.migrate_to, now)
            _settle(revoked.id, InviteState.GONE)
        case meaning:
            log.info("invite.not_revoked", bot=bot_id, reason=str(refusal))
            is_open = meaning in {Meaning.NO_RIGHTS, Meaning.CHAT_LOST, Meaning.UNREACHABLE}
            _settle(revoked.id, InviteState.REFUSED if is_open else InviteState.GONE)


def _settle(invite_id: int, state: InviteState) -> None:
    """Nobody needs the link itself any more; its key still tells of those who use it late."""
    _set(invite_id, state=int(state), link="")


def _set(invite_id: int, **values: Any) -> None:
    mine = update(Invite).where(Invite.id == invite_id, Invite.state == InviteState.TO_REVOKE)
    db.session.execute(mine.values(**values).execution_options(synchronize_session=False))
    db.session.commit()
