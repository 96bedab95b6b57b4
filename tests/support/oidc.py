"""A double of Telegram's OpenID Connect: `/auth`, `/token` and its keys, over HTTP."""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from werkzeug.wrappers import Request, Response

from app.sandbox.telegram.people import Person
from app.services.service_bot.telegram import oidc
from tests.support.plain_http import serving

CLIENT = "5151"
SECRET = "s3cret-of-web-login"
PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
KEY_ID = "oidc-1"


def key_set(key_id: str = KEY_ID, key: Any = PRIVATE) -> dict[str, Any]:
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    return {"keys": [{**public, "kid": key_id, "use": "sig", "alg": "RS256"}]}


def signed(claims: dict[str, Any], *, key: Any = PRIVATE, alg: str = "RS256", **header: Any) -> str:
    """An ID token."""
    return jwt.encode(claims, key, algorithm=alg, headers={"kid": KEY_ID, **header})


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@dataclass
class OidcDouble:
    """What Telegram knows: the logins that people have agreed to, by their code."""

    url: str = ""
    agreed: dict[str, dict[str, str]] = field(default_factory=dict)
    #: Replaces claims of the next tokens, or the whole answer of `/token`.
    claims: dict[str, Any] = field(default_factory=dict)
    answer: Any = None
    calls: list[str] = field(default_factory=list)

    def agree(self, url: str, person: Person) -> str:
        """A person opens `url` and agrees. Returns the path to which their browser is led."""
        asked = dict(parse_qsl(urlsplit(url).query))
        assert url.startswith(f"{self.url}/auth?")
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(16)
        self.agreed[code] = {**asked, "sub": str(person.id), "name": person.first_name}
        back = urlsplit(asked["redirect_uri"]).path
        return f"{back}?{urlencode({'code': code, 'state': asked['state']})}"

    def __call__(self, environ: Any, start: Any) -> Any:
        request = Request(environ)
        self.calls.append(request.path)
        answers: dict[str, Callable[[Request], Any]] = {
            "/token": self._token,
            "/.well-known/jwks.json": lambda _: key_set(),
        }
        body = answers[request.path](request) if self.answer is None else self.answer
        status = 400 if isinstance(body, dict) and "error" in body else 200
        return Response(json.dumps(body), status, mimetype="application/json")(environ, start)

    def _token(self, request: Request) -> dict[str, Any]:
        form, client = request.form, request.authorization
        if client is None or (client.username, client.password) != (CLIENT, SECRET):
            return {"error": "invalid_client"}
        login = self.agreed.pop(form["code"], None)
        challenge = base64url(hashlib.sha256(form["code_verifier"].encode()).digest())
        if login is None or login["code_challenge"] != challenge:
            return {"error": "invalid_grant"}
        if login["redirect_uri"] != form["redirect_uri"]:
            return {"error": "invalid_grant"}
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": int(CLIENT),
            "sub": login["sub"],
            "name": login["name"],
            "nonce": login["nonce"],
            "iat": now,
            "exp": now + 300,
        }
        return {
            "access_token": "x",
            "token_type": "Bearer",
            "id_token": signed(claims | self.claims),
        }


@pytest.fixture
def telegram_login(change_settings: Callable[..., None], clean_redis: Any) -> Iterator[OidcDouble]:
    """The double, which this installation logs in by."""
    double = OidcDouble()
    oidc.KEYS.forget()
    with ExitStack() as stack:
        double.url = stack.enter_context(serving(double))
        change_settings(
            public_url="http://localhost",
            telegram_client_id=CLIENT,
            telegram_client_secret=SECRET,
            telegram_login_url=double.url,
        )
        yield double
    oidc.KEYS.forget()
