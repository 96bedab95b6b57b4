"""Calls that a caller may repeat under one key: what was answered once is answered again."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import delete, select, update

from app.crypto import hash_secret
from app.database.rows import insert_rows
from app.domain.time_ranges import DAY
from app.errors import KeyReused, TooManyRequests
from app.extensions import db
from app.models import IdempotencyKey, table_of
from app.services.accounts.rate_limits import Limit

KEPT: Final = 2 * DAY
LONGEST: Final = 128
#: Keys that are noted of calls which record nothing, by account: each is a row for two days.
NOTES: Final = Limit("idempotency-notes", per_minute=1200, burst=600)
_KEYS: Final = table_of(IdempotencyKey)
_COLUMNS: Final = ("account_id", "key_hash", "request_hash", "answer", "created")


class Answered(NamedTuple):
    """An answer, and whether it is an earlier one repeated."""

    answer: Mapping[str, Any]
    is_replay: bool = False


def once(
    account_id: int,
    key: str,
    request: Mapping[str, Any],
    now: float,
    act: Callable[[], Mapping[str, Any]],
) -> Answered:
    """Call `act`, unless it was called under this key before; "" is no key. No commit.

    What `act` writes and the answer it returns are stored together, so it must not commit either.
    A call under the same key waits for this one. Raises KeyReused for another `request`.
    """
    if not key:
        return Answered(act())
    digest = hashlib.sha256(orjson.dumps(request, option=orjson.OPT_SORT_KEYS)).hexdigest()
    mine = (_KEYS.c.account_id == account_id, _KEYS.c.key_hash == hash_secret(key))
    connection = db.session.connection()
    connection.execute(delete(_KEYS).where(*mine, _KEYS.c.created < now - KEPT))
    row = (account_id, hash_secret(key), digest, "", now)
    if insert_rows(connection, _KEYS, _COLUMNS, [row], returning=["id"], ignore_conflicts=True):
        answer = act()
        values = {"answer": orjson.dumps(answer).decode()}
        connection.execute(update(_KEYS).where(*mine).values(**values))
        return Answered(answer)
    earlier = connection.execute(select(_KEYS.c.request_hash, _KEYS.c.answer).where(*mine)).one()
    if earlier.request_hash != digest:
        raise KeyReused
    return Answered(orjson.loads(earlier.answer), is_replay=True)


def note(account_id: int, key: str, request: Mapping[str, Any], now: float) -> bool:
    """Note a call that may be done again without harm. Returns whether it was noted before.

    Its answer is not stored, and beyond NOTES nothing is. Commits. Raises KeyReused for another
    `request`.
    """
    if not key:
        return False
    try:
        NOTES.hit(str(account_id))
    except TooManyRequests:
        return False
    answered = once(account_id, key, request, now, dict)
    db.session.commit()
    return answered.is_replay
