"""Secrets come back only with the key that encrypted them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.crypto import CannotDecrypt, Cipher, hash_secret, new_secret

KEY = "a secret of sixteen letters or more"


def _cipher(secret_key: str = KEY) -> Cipher:
    cipher = Cipher()
    cipher.set_key(secret_key)
    return cipher


@given(st.text(st.characters(exclude_categories=[])))
def test_whatever_was_encrypted_is_decrypted(text):
    cipher = _cipher()
    encrypted = cipher.encrypt(text)
    assert encrypted.isascii()
    assert cipher.decrypt(encrypted) == text


def test_what_earlier_releases_stored_and_told_telegram_stays_valid():
    """The labels of the keys are part of the keys."""
    stored = (
        "gAAAAABrC3rp2y_vs9Dlfvrdz9aPp2q2eZ3dD6CMHy_m6aOxCPfGw"
        "-1yTqP6VVKpFE1AkEzKr90tPYCMbshoLnmYRvs_h3J9hw=="
    )
    assert _cipher().decrypt(stored) == "token"
    assert _cipher().webhook_secret("path") == "aQBuNV9x7tPci9gBrd3zEmyLHdegsyf0qOXhkOvGstk"


def test_another_key_decrypts_nothing():
    encrypted = _cipher().encrypt("token")
    with pytest.raises(CannotDecrypt):
        _cipher(KEY + "!").decrypt(encrypted)


@pytest.mark.parametrize("junk", ["", "junk", "gAAAA", "é"])
def test_what_no_cipher_made_is_refused(junk):
    with pytest.raises(CannotDecrypt):
        _cipher().decrypt(junk)


def test_what_may_be_unreadable_is_read_as_none():
    cipher = _cipher()
    assert cipher.decrypt_or_none(cipher.encrypt("token")) == "token"
    unreadable = ("", "junk", _cipher("another secret of sixteen letters").encrypt("token"), None)
    assert [cipher.decrypt_or_none(text) for text in unreadable] == [None] * 4


def test_the_same_text_never_looks_the_same():
    cipher = _cipher()
    assert cipher.encrypt("token") != cipher.encrypt("token")


def test_each_path_and_each_key_has_a_webhook_secret_of_its_own():
    cipher = _cipher()
    assert cipher.webhook_secret("path") == _cipher().webhook_secret("path")
    secrets = {
        cipher.webhook_secret("path"),
        cipher.webhook_secret("other"),
        _cipher(KEY + "!").webhook_secret("path"),
    }
    assert len(secrets) == 3
    assert all(secret.replace("-", "").replace("_", "").isalnum() for secret in secrets)


def test_a_cipher_without_a_key_says_so():
    with pytest.raises(RuntimeError, match="create_app"):
        Cipher().encrypt("token")


def test_a_hash_is_stable_and_tells_nothing_of_the_secret():
    secret = new_secret()
    assert hash_secret(secret) == hash_secret(secret)
    assert hash_secret(secret) != hash_secret(new_secret())
    assert secret not in hash_secret(secret)


def test_while_keys_rotate_the_newest_encrypts_and_all_decrypt():
    old, both = _cipher(), Cipher()
    both.set_key("a newer secret of enough letters", [KEY])
    sealed = old.encrypt("token")
    assert both.decrypt(sealed) == "token"
    assert not both.is_current(sealed)
    anew = both.encrypt("token")
    assert both.is_current(anew)
    with pytest.raises(CannotDecrypt):
        old.decrypt(anew)


def test_while_keys_rotate_webhooks_of_both_are_let_in():
    old, new, both = _cipher(), _cipher("a newer secret of enough letters"), Cipher()
    both.set_key("a newer secret of enough letters", [KEY])
    assert both.webhook_secret("path") == new.webhook_secret("path")
    for cipher in (old, new):
        assert both.is_webhook_secret("path", cipher.webhook_secret("path").encode())
    assert not both.is_webhook_secret("path", old.webhook_secret("other").encode())
    assert not new.is_webhook_secret("path", old.webhook_secret("path").encode())
