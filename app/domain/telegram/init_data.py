"""What a Mini App is opened with: who looks at it, signed with the token of its bot. Pure.

https://core.telegram.org/bots/webapps#validating-data-received-via-the-mini-app (2026-11)
"""

import hashlib
import hmac
import json
from typing import Final, NamedTuple
from urllib.parse import parse_qsl

from app.domain.telegram.fields import InvalidField
from app.domain.telegram.person import Person, read_person

#: How long after Telegram has written it, seconds, and how far our clock may be behind.
FRESH_SECONDS: Final = 300
AHEAD_SECONDS: Final = 60
_MOST_FIELDS: Final = 32


class InitDataRefused(Exception):
    """It was not signed with this token, is too old, or names no person."""


class InitData(NamedTuple):
    """The person who looks at the app, and the signature: no two openings share one."""

    person: Person
    signature: str


def read_init_data(text: str, token: str, now: float) -> InitData:
    """Return what `text`, a query string, says of the person at `now`. Raises InitDataRefused.

    Nothing of it is looked at before its signature is known to be good.
    """
    try:
        pairs = parse_qsl(
            text, keep_blank_values=True, strict_parsing=True, max_num_fields=_MOST_FIELDS
        )
    except ValueError as error:
        raise InitDataRefused from error
    fields = dict(pairs)
    signature = fields.pop("hash", "")
    if len(fields) + 1 != len(pairs) or not _is_signed(fields, signature, token):
        raise InitDataRefused
    written = fields.get("auth_date", "")
    if not (written.isascii() and written.isdigit() and len(written) <= 12):
        raise InitDataRefused
    if not -AHEAD_SECONDS <= now - int(written) <= FRESH_SECONDS:
        raise InitDataRefused
    try:
        person = read_person({"user": json.loads(fields.get("user", ""))}, "user")
    except (ValueError, RecursionError, InvalidField) as error:
        raise InitDataRefused from error
    return InitData(person, signature)


def sign(fields: dict[str, str], token: str) -> str:
    """Return the `hash` of these fields, as Telegram makes it."""
    key = hmac.digest(b"WebAppData", token.encode(), "sha256")
    lines = "\n".join(f"{name}={value}" for name, value in sorted(fields.items()))
    return hmac.new(key, lines.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _is_signed(fields: dict[str, str], signature: str, token: str) -> bool:
    presented = signature.encode("utf-8", "surrogatepass")
    return bool(token) and hmac.compare_digest(sign(fields, token).encode(), presented)
