"""Encrypts secrets for the database, derives the secrets of webhooks, hashes our own keys.

One operator secret (`SECRET_KEY`) feeds everything here by HKDF, with a label
for each use: no two uses share a key.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

# Labels are part of the keys: with another one, what is stored could not be read.
_ENCRYPTION: Final = b"seal"
_WEBHOOKS: Final = b"webhook secret"
_FORMS: Final = b"form token"
_VISITS: Final = b"visit"
_PEOPLE: Final = b"people"
_TRACES: Final = b"trace"


class CannotDecrypt(Exception):
    """An encrypted text was made with another SECRET_KEY."""


class Cipher:
    """Encrypts, decrypts and derives with the operator's secret.

    While keys rotate, what the old ones made is still read, and none is used for anything new.
    """

    def __init__(self) -> None:
        self._fernet: Fernet | None = None
        self._every_fernet: MultiFernet | None = None
        self._webhook_keys: Sequence[bytes] = ()
        self._form_key = b""
        self._visit_key = b""
        self._person_key = b""
        self._trace_key = b""

    def set_key(self, secret_key: str, old: Sequence[str] = ()) -> None:
        """Derive the working keys. Call once per process."""
        every = (secret_key, *old)
        fernets = [Fernet(base64.urlsafe_b64encode(_derive(key, _ENCRYPTION))) for key in every]
        self._fernet, self._every_fernet = fernets[0], MultiFernet(fernets)
        self._webhook_keys = [_derive(key, _WEBHOOKS) for key in every]
        self._form_key = _derive(secret_key, _FORMS)
        self._visit_key = _derive(secret_key, _VISITS)
        self._person_key = _derive(secret_key, _PEOPLE)
        self._trace_key = _derive(secret_key, _TRACES)

    def encrypt(self, text: str) -> str:
        """Encrypt and authenticate `text`; the result is ASCII."""
        return self._fernet_or_fail().encrypt(text.encode("utf-8", "surrogatepass")).decode("ascii")

    def decrypt(self, encrypted: str) -> str:
        """Undo `encrypt`. Raises CannotDecrypt if SECRET_KEY has changed."""
        return _decrypt(self._every_fernet or self._fernet_or_fail(), encrypted)

    def decrypt_or_none(self, encrypted: str | None) -> str | None:
        """As `decrypt`, but None for what cannot be read, and for None."""
        try:
            return None if encrypted is None else self.decrypt(encrypted)
        except CannotDecrypt:
            return None

    def is_current(self, encrypted: str) -> bool:
        """Whether the newest key made `encrypted`."""
        try:
            _decrypt(self._fernet_or_fail(), encrypted)
        except CannotDecrypt:
            return False
        return True

    def webhook_secret(self, path: str) -> str:
        """Return the secret header that Telegram must send to the webhook at `path`.

        Derived, so it is stored nowhere and a wrong one is refused before the
        database is asked whether the path exists.
        """
        return _webhook_secret(self._webhook_keys[0] if self._webhook_keys else b"", path)

    def is_webhook_secret(self, path: str, presented: bytes) -> bool:
        """Whether `presented` is the secret of a path, by any key, in the same time for all."""
        matches = [
            hmac.compare_digest(_webhook_secret(key, path).encode(), presented)
            for key in self._webhook_keys
        ]
        return any(matches)

    def form_token(self, cookie: str) -> str:
        """Return the token that forms must bring which were shown to the browser with `cookie`."""
        digest = hmac.digest(
            self._form_key, f"{cookie} csrf".encode("utf-8", "surrogatepass"), "sha256"
        )
        return base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")

    def visit_number(self, visit: str) -> int:
        """Return 128 bits that stand for `visit`, always the same, and that nobody can guess."""
        digest = hashlib.blake2b(visit.encode(), key=self._visit_key, digest_size=16).digest()
        return int.from_bytes(digest)

    def trace_number(self, name: str) -> int:
        """Return 128 bits that stand for what a trace tells of, the same in every process."""
        digest = hashlib.blake2b(name.encode(), key=self._trace_key, digest_size=16).digest()
        return int.from_bytes(digest)

    def person_hash(self, account_id: int, subscriber: int) -> str:
        """Return what stands for a person in one account: it finds the id and does not tell it."""
        name = f"{account_id}:{subscriber}".encode()
        return hmac.digest(self._person_key, name, "sha256").hex()

    def _fernet_or_fail(self) -> Fernet:
        if self._fernet is None:
            raise RuntimeError("the cipher has no key: create_app() sets it")
        return self._fernet


def _decrypt(fernet: Fernet | MultiFernet, encrypted: str) -> str:
    try:
        return fernet.decrypt(encrypted.encode("ascii")).decode("utf-8", "surrogatepass")
    except (InvalidToken, UnicodeError) as error:
        raise CannotDecrypt("encrypted with another SECRET_KEY") from error


def _webhook_secret(key: bytes, path: str) -> str:
    name = path.encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(name, key=key, digest_size=32).digest()
    return base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")


def _derive(secret_key: str, label: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"gatepost " + label).derive(secret_key.encode())


def new_secret(size: int = 24) -> str:
    """Return a new URL-safe secret of `size` random bytes."""
    return secrets.token_urlsafe(size)


def hash_secret(secret: str) -> str:
    """Hash a secret that we made, to be stored instead of it.

    It has enough entropy for a plain hash.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


#: Bound by create_app(); the Encrypted column type uses it.
cipher = Cipher()
