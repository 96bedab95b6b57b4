import hmac
import json

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from app.services.service_bot.telegram.id_tokens import IdTokenRefused, read_id_token
from tests.support.oidc import CLIENT, KEY_ID, PRIVATE, base64url, key_set, signed

NOW = 1_790_000_000
ISSUER = "https://oauth.telegram.org"
CLAIMS = {
    "iss": ISSUER,
    "aud": CLIENT,
    "sub": "987654321",
    "name": "Ann Lee",
    "preferred_username": "ann_lee",
    "nonce": "n1",
    "exp": NOW + 60,
}
PUBLIC = jwt.PyJWK.from_dict(key_set()["keys"][0])


def find_key(key_id):
    return PUBLIC if key_id == KEY_ID else None


def read(token, find=find_key):
    return read_id_token(token, find, issuer=ISSUER, client_id=CLIENT, nonce="n1", now=NOW)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": int(CLIENT)},
        {"aud": [CLIENT]},
        {"aud": [int(CLIENT), "other"], "azp": int(CLIENT)},
        {"azp": CLIENT},
        {"iat": NOW - 5, "nbf": NOW - 5.5},
        {"iat": NOW + 60, "nbf": NOW + 60},
    ],
)
def test_a_token_for_us_names_the_person(claims):
    person = read(signed({**CLAIMS, **claims}))
    assert (person.id, person.username, person.first_name) == (987_654_321, "ann_lee", "Ann Lee")


@pytest.mark.parametrize(
    ("key", "alg"),
    [
        (ec.generate_private_key(ec.SECP256R1()), "ES256"),
        (ed25519.Ed25519PrivateKey.generate(), "EdDSA"),
    ],
    ids=["ES256", "EdDSA"],
)
def test_other_kinds_of_keys_are_known(key, alg):
    algorithm = jwt.get_algorithm_by_name(alg)
    public = algorithm.to_jwk(key.public_key(), as_dict=True)
    found = jwt.PyJWK.from_dict({**public, "kid": KEY_ID, "alg": alg})
    assert read(signed(CLAIMS, key=key, alg=alg), lambda _: found).id == 987_654_321


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "other"},
        {"aud": None},
        {"aud": []},
        {"aud": [CLIENT, "other"]},
        {"aud": [CLIENT, "other"], "azp": "other"},
        {"aud": [CLIENT, CLIENT]},
        {"azp": "other"},
        {"azp": ""},
        {"azp": [CLIENT]},
        {"iat": NOW + 61},
        {"nbf": NOW + 61},
        {"iat": "now"},
        {"nbf": float("nan")},
        {"nbf": float("inf")},
        {"iat": 10**400},
        {"nonce": "n2"},
        {"nonce": ""},
        {"nonce": 5},
        {"nonce": "\ud800"},
        {"exp": NOW - 61},
        {"exp": "never"},
        {"exp": None},
        {"exp": float("inf")},
        {"exp": float("nan")},
        {"exp": 10**400},
        {"sub": "ann"},
        {"sub": "-5"},
        {"sub": "0"},
        {"sub": "9" * 30},
        {"sub": "\u0661"},
        {"sub": None},
    ],
)
def test_a_token_for_others_is_refused(claims):
    kept = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
    with pytest.raises(IdTokenRefused):
        read(signed(kept))


def hs256_with_the_public_key():
    """What a library would take that tries the public key as a shared secret."""
    head = base64url(json.dumps({"alg": "HS256", "kid": KEY_ID}).encode())
    text = f"{head}.{base64url(json.dumps(CLAIMS).encode())}"
    public = PRIVATE.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return f"{text}.{base64url(hmac.digest(public, text.encode(), 'sha256'))}"


def unsigned():
    head = base64url(json.dumps({"alg": "none", "kid": KEY_ID}).encode())
    return f"{head}.{base64url(json.dumps(CLAIMS).encode())}."


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "a.b.c",
        unsigned(),
        hs256_with_the_public_key(),
        signed(CLAIMS)[:-4] + "AAAA",
        signed(CLAIMS, kid="unknown"),
        signed(CLAIMS, key=rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        signed(CLAIMS, key=PRIVATE, alg="RS512"),
        signed(CLAIMS, crit=["x"]),
    ],
    ids="empty word dots none hs256 cut unknown foreign rs512 crit".split(),
)
def test_what_telegram_has_not_signed_is_refused(token):
    with pytest.raises(IdTokenRefused):
        read(token)
