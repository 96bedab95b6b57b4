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
#: How far our clock may be ahead of theirs, or behind, seconds.
LEEWAY: Final = 60

FindKey = Callable[[str], jwt.PyJWK | None]


class IdTokenRefused(Exception):
    """It is not Telegram's, not for us, not for this browser, or too old; the text says which."""


def read_id_token(
    token: str, find_key: FindKey, *, issuer: str, client_id: str, nonce: str, now: float
) -> Person:
    """Return whom `token` names at `now`, Unix seconds. Raises IdTokenRefused."""
    claims = _signed_claims(token, find_key)
    if claims.get("iss") != issuer:
        raise IdTokenRefused("another issuer")
    if not _is_for(client_id, claims):
        raise IdTokenRefused("another client")
    presented = _text(claims, "nonce").encode("utf-8", "surrogatepass")
    if not hmac.compare_digest(presented, nonce.encode()):
        raise IdTokenRefused("another browser")
    expires = claims.get("exp")
    # NaN and Infinity, which Python reads though JSON has none, are no times.
    if not isinstance(expires, int | float) or not now - LEEWAY < expires < INT64:
        raise IdTokenRefused("it has expired")
    if not all(_has_come(claims.get(name, now), now) for name in ("iat", "nbf")):
        raise IdTokenRefused("it is of the future")
    return _person(claims)


def _is_for(client_id: str, claims: Mapping[str, Any]) -> bool:
    """Whether a token is for our client: it must be in the audience, and alone or `azp` there.

    OpenID Connect Core 1.0, 3.1.3.7, steps 3 to 5. Telegram's client ids are numbers, also in JSON.
    """
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if client_id not in [str(value) for value in audiences]:
        return False
    if "azp" in claims:
        return str(claims["azp"]) == client_id
    return len(audiences) == 1


def _has_come(moment: Any, now: float) -> bool:
    return isinstance(moment, int | float) and moment <= now + LEEWAY


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
