"""Makes an invite link, and stores it or what Telegram had against it.

A link that was made and not stored, since the process died in between, is
nobody's: it is handed out to no one and expires by itself.
"""

import secrets
import string
from typing import Any, Final, NamedTuple

import structlog
from sqlalchemy.exc import IntegrityError

from app.domain.telegram.api_errors import Meaning
from app.domain.telegram.evidence import MAX_LINK, Evidence
from app.extensions import db
from app.models import Invite, InviteKind, InviteState
from app.outbound.telegram import TelegramRefused, TelegramUnreachable
from app.services.bots import rights, webhooks
from app.services.clicks.invites import pace

log = structlog.get_logger()

METHOD: Final = "createChatInviteLink"
#: How long a link may lie in the pool and still live its whole time afterwards.
SHELF_SECONDS: Final = 172_800
_ALPHABET: Final = string.ascii_letters + string.digits
_NO_ADMIN: Final = frozenset({Meaning.CHAT_LOST, Meaning.UNREACHABLE})


class Maker(NamedTuple):
    """The bot that makes a link, with what its pace depends on. `token` is Telegram's."""

    bot_id: int
    token: str
    slow_until: float


class Order(NamedTuple):
    """A link to be made. `expires` is in Unix seconds, None for a link that stays.

    `source_id` and `click_token` are those of a link that is handed out at once.
    """

    maker: Maker
    chat_id: int
    kind: InviteKind
    expires: int | None
    name: str
    source_id: int | None = None
    click_token: str | None = None

    @property
    def params(self) -> dict[str, Any]:
        """The parameters of the call. A link with requests has no limit of members."""
        is_single = self.kind is InviteKind.SINGLE
        return {
            "chat_id": self.chat_id,
            "name": self.name,
            "expire_date": self.expires,
            "member_limit": 1 if is_single else None,
            "creates_join_request": True if self.kind is InviteKind.REQUEST else None,
        }


def order(
    maker: Maker,
    chat_id: int,
    kind: InviteKind,
    link_ttl: int,
    now: float,
    *,
    source_id: int | None = None,
    click_token: str | None = None,
) -> Order:
    """Order a link for one click; its life of `link_ttl` seconds begins with the hand-out."""
    name = "g" + "".join(secrets.choice(_ALPHABET) for _ in range(8))
    expires = int(now) + link_ttl + SHELF_SECONDS
    return Order(maker, chat_id, kind, expires, name, source_id, click_token)


def record(made: Order, reply: Any, now: float) -> str:
    """Store what became of an order, and return the link or "". Commits.

    `reply` is the call's result, or the TelegramRefused or TelegramUnreachable that it raised.
    """
    if isinstance(reply, TelegramRefused):
        _refused(made, reply, now)
        return ""
    if isinstance(reply, TelegramUnreachable):
        log.warning("invite.not_made", bot=made.maker.bot_id, reason=str(reply))
        return ""
    link = reply.get("invite_link") if isinstance(reply, dict) else None
    key = Evidence(link=link).link_key if isinstance(link, str) and len(link) <= MAX_LINK else None
    if link is None or key is None:
        log.warning("invite.not_made", bot=made.maker.bot_id, reason="the answer has no link")
        return ""
    return _store(made, link, key, now)


def _store(made: Order, link: str, key: str, now: float) -> str:
    is_pooled = made.kind is not InviteKind.NAMED and made.click_token is None
    values: dict[str, Any] = {
        "bot_id": made.maker.bot_id,
        "chat_id": made.chat_id,
        "link_key": key,
        "link": link,
        "name": made.name,
        "kind": made.kind,
        "made": int(now),
    }
    invite = Invite(
        **values,
        source_id=made.source_id,
        state=InviteState.POOL if is_pooled else InviteState.HANDED_OUT,
        expires=made.expires,
        handed_out=None if is_pooled else int(now),
        token=made.click_token,
    )
    if _insert(invite):
        return link
    # Another process was faster to make the named link of this source, or the link is known.
    _insert(Invite(**values, state=InviteState.TO_REVOKE, due=now))
    return ""


def _insert(invite: Invite) -> bool:
    try:
        db.session.add(invite)
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        return False
    return True


def _refused(made: Order, refusal: TelegramRefused, now: float) -> None:
    """Wait, pause the bot, or stop the links of the chat until the bot has its rights again."""
    maker = made.maker
    log.warning("invite.refused", bot=maker.bot_id, chat=made.chat_id, reason=str(refusal))
    match refusal.meaning:
        case Meaning.FLOOD:
            pace.flood_wait(maker.bot_id, refusal.retry_after or 1, maker.slow_until, now)
        case Meaning.BOT_DEAD:
            webhooks.pause(maker.bot_id, "Telegram refused the token", maker.token)
        case Meaning.MIGRATED if refusal.migrate_to is not None:
            rights.chat_moved(maker.bot_id, made.chat_id, refusal.migrate_to, now)
            db.session.commit()
        case meaning:
            is_admin = meaning not in _NO_ADMIN
            rights.may_not_invite(maker.bot_id, made.chat_id, is_admin=is_admin, now=now)
            db.session.commit()
