"""Logging in by Telegram's OpenID Connect: the code flow, with PKCE, bound to one browser.

Everything that binds it is derived from a random value in a cookie: `state` tells that this very
browser began, `nonce` that the ID token was made for it, and the verifier that nobody else can
redeem the code. So nothing is stored, and a prepared address logs nobody in.
"""

import base64
import binascii
import hashlib
import hmac
import time
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

import structlog

from app.config import current_settings
from app.crypto import hash_secret, new_secret
from app.domain.telegram.person import Person
from app.errors import BadParameter, NotFound, translatable
from app.services.accounts.concurrent_calls import OUTWARD
from app.services.service_bot import logins
from app.services.service_bot.logins import Browser
from app.services.service_bot.telegram import proved
from app.services.service_bot.telegram.id_tokens import IdTokenRefused, read_id_token
from app.services.service_bot.telegram.signing_keys import SigningKeys
from app.services.trackers.connection_check import exchange
from app.web.shares.addresses import network_of
from plugins.contract import Request

log = structlog.get_logger()

#: Where Telegram sends the browser back to; BotFather must know the address.
BACK: Final = "/login/oidc/back"
_LONGEST: Final = 4096
KEYS: Final = SigningKeys()


class Begun(NamedTuple):
    """A login that has begun: what the browser keeps, and where it goes."""

    secret: str
    url: str


def is_configured() -> bool:
    """Whether this installation logs in by OpenID Connect."""
    return bool(current_settings().telegram_client_id)


def begin(target: str) -> Begun:
    """Begin a login that ends at our path `target`. Raises NotFound where it is not configured."""
    settings = current_settings()
    if not is_configured():
        raise NotFound
    secret = new_secret(32)
    query = {
        "client_id": settings.telegram_client_id,
        "redirect_uri": settings.public_url + BACK,
        "response_type": "code",
        "scope": "openid profile",
        "state": _state(secret, target),
        "nonce": _derived(secret, "nonce"),
        "code_challenge": _base64(hashlib.sha256(_derived(secret, "verifier").encode()).digest()),
        "code_challenge_method": "S256",
    }
    return Begun(secret, f"{settings.telegram_login_url}/auth?{urlencode(query)}")


def target_of(secret: str, state: str) -> str:
    """Return where a login goes that this browser began. Raises BadParameter for all others."""
    encoded = state.rpartition(".")[2]
    try:
        target = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    except (ValueError, binascii.Error):
        target = ""
    expected = _state(secret, target).encode()
    if not secret or not hmac.compare_digest(expected, state.encode("utf-8", "surrogatepass")):
        raise BadParameter(
            "login", translatable("this browser did not begin this login; begin a new one")
        )
    return target


def log_in(secret: str, code: str, browser: Browser) -> str:
    """Redeem the code that Telegram has sent the browser back with, for a session token. Commits.

    Raises BadParameter, or TooManyRequests by address. Holds no database connection meanwhile.
    """
    network = network_of(browser.address)
    logins.NEW_LOGINS.hit(network)
    with OUTWARD.running(network):
        person, proof = _redeemed(secret, code)
    return proved.open_session(person, f"oidc:{proof}", browser, time.time())


def _redeemed(secret: str, code: str) -> tuple[Person, str]:
    """Return whom the code stands for, and what no second login shares."""
    settings = current_settings()
    try:
        token = _id_token(code, _derived(secret, "verifier"))
        person = read_id_token(
            token,
            lambda key_id: KEYS.find(key_id, _fetch_keys),
            issuer=settings.telegram_login_url,
            client_id=settings.telegram_client_id,
            nonce=_derived(secret, "nonce"),
            now=time.time(),
        )
    except IdTokenRefused as error:
        log.warning("login.refused", reason=str(error))
        raise BadParameter(
            "login",
            translatable("Telegram does not confirm this login, or it is too old; try again"),
        ) from error
    return person, hash_secret(token)


def _id_token(code: str, verifier: str) -> str:
    settings = current_settings()
    client = f"{settings.telegram_client_id}:{settings.telegram_client_secret}"
    form = {
        "grant_type": "authorization_code",
        "code": code[:_LONGEST],
        "redirect_uri": settings.public_url + BACK,
        "client_id": settings.telegram_client_id,
        "code_verifier": verifier,
    }
    answer = exchange(
        Request(
            method="POST",
            url=f"{settings.telegram_login_url}/token",
            headers={
                "Authorization": f"Basic {base64.b64encode(client.encode()).decode()}",
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
            },
            body=urlencode(form).encode(),
            secrets=(settings.telegram_client_secret, code, verifier),
        )
    )
    document = answer.response.json() if answer.response else None
    token = document.get("id_token") if isinstance(document, dict) else None
    if answer.status != 200 or not isinstance(token, str):
        raise IdTokenRefused(f"the code was not redeemed: HTTP {answer.status} {answer.reason}")
    return token


def _fetch_keys() -> Any:
    url = f"{current_settings().telegram_login_url}/.well-known/jwks.json"
    answer = exchange(Request(method="GET", url=url, headers={"Accept": "application/json"}))
    return answer.response.json() if answer.response and answer.status == 200 else None


def _state(secret: str, target: str) -> str:
    return f"{_derived(secret, f'state {target}')}.{_base64(target.encode())}"


def _derived(secret: str, purpose: str) -> str:
    """Return what the browser's secret stands for; nobody gets the secret out of it."""
    return _base64(hmac.digest(secret.encode(), purpose.encode(), "sha256"))


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")
