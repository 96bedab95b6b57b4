"""ID tokens of Telegram's OpenID Connect: whether one is Telegram's and meant for this browser.

https://core.telegram.org/bots/telegram-login (2026-11)
"""

import hmac
from collections.abc import Callable, Mapping
from typing import Any, Final

import jwt

from app.domain.storable_text import sanitize
from app.domain.telegram.fields import INT64
from app.domain.telegram.person import Person

#: Never one with a shared secret: a public key would pass for it.
ALGORITHMS: Final = ("RS256", "ES256", "EdDSA")
#: How far our clock may be ahead of theirs, seconds.
LEEWAY: Final = 60

FindKey = Callable[[str], jwt.PyJWK | None]


class IdTokenRefused(Exception):
    """It is not Telegram's, not for us, not for this browser, or too old; the text says which."""


def read_id_token(
    token: str, find_key: FindKey, *, issuer: str, client_id: str, nonce: str, now: float
) -> Person:
    """Return whom `token` names at `now`, Unix seconds. Raises IdTokenRefused."""
    claims = _signed_claims(token, find_key)
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if claims.get("iss") != issuer:
        raise IdTokenRefused("another issuer")
    if client_id not in [str(value) for value in audiences]:
        raise IdTokenRefused("another client")
    presented = _text(claims, "nonce").encode("utf-8", "surrogatepass")
    if not hmac.compare_digest(presented, nonce.encode()):
        raise IdTokenRefused("another browser")
    expires = claims.get("exp")
    # NaN and Infinity, which Python reads though JSON has none, are no times.
    if not isinstance(expires, int | float) or not now - LEEWAY < expires < INT64:
        raise IdTokenRefused("it has expired")
    return _person(claims)


def _signed_claims(token: str, find_key: FindKey) -> Mapping[str, Any]:
    try:
        header = jwt.get_unverified_header(token)
        if header.get("alg") not in ALGORITHMS:
            raise IdTokenRefused("a signature of another kind")
        key = find_key(str(header.get("kid", "")))
        if key is None:
            raise IdTokenRefused("an unknown key")
        checks = dict.fromkeys(("exp", "aud", "iss", "iat", "nbf", "sub", "jti"), False)
        claims: Mapping[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[header["alg"]],
            options={f"verify_{name}": on for name, on in checks.items()},  # type: ignore[arg-type]
        )
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise IdTokenRefused("not signed by Telegram") from error
    return claims


def _person(claims: Mapping[str, Any]) -> Person:
    number = _text(claims, "sub")
    if not (number.isascii() and number.isdigit() and 0 < int(number[:20]) < INT64):
        raise IdTokenRefused("no Telegram id")
    return Person(
        id=int(number),
        username=sanitize(_text(claims, "preferred_username"), 64),
        first_name=sanitize(_text(claims, "name"), 64),
    )


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""
