"""Keys for /in/<key>: shown once, stored as hashes, and for whom they are."""

import pytest
from sqlalchemy import select

from app.errors import NotFound, PlanLimit
from app.extensions import db
from app.models import EventKey
from app.services.accounts.quotas import Quota
from app.services.conversions import keys

NOW = 1_800_000_000.0


@pytest.fixture
def account_id(account):
    return account.id


def test_a_key_is_found_by_itself_and_stored_as_a_hash(account_id):
    made = keys.add(account_id, title="Casino", currency="USD", signed=True)
    found = keys.find(made.key, NOW)
    assert (found.id, found.account_id, found.currency) == (made.id, account_id, "USD")
    assert found.secret == made.secret
    stored = db.session.execute(select(EventKey.__table__)).one()
    assert made.key not in repr(stored)
    assert len(made.key) == keys.LENGTH


def test_a_key_of_the_same_length_that_was_never_made_is_not_found(account_id):
    with pytest.raises(NotFound):
        keys.find("x" * keys.LENGTH, NOW)


def test_a_key_without_addresses_lets_everybody_in(account_id):
    free = keys.find(keys.add(account_id, title="x").key, NOW)
    bound = keys.find(keys.add(account_id, title="x", addresses=["203.0.113.0/24"]).key, NOW)
    assert free.lets_in("192.0.2.1")
    assert free.lets_in("no address")
    assert bound.lets_in("203.0.113.9")
    assert not bound.lets_in("192.0.2.1")
    assert not bound.lets_in("2001:db8::1")
    assert not bound.lets_in("no address")


def test_a_signature_is_needed_only_with_a_secret(account_id):
    found = keys.find(keys.add(account_id, title="x").key, NOW)
    assert found.is_signed(b"event=reg", "")
    signed = keys.find(keys.add(account_id, title="x", signed=True).key, NOW)
    assert not signed.is_signed(b"event=reg", "")
    assert not signed.is_signed(b"event=reg", "é")


def test_rotating_keeps_a_secret_unless_told_otherwise(account_id):
    made = keys.add(account_id, title="x", signed=True)
    again = keys.rotate(account_id, made.id)
    assert again.secret
    assert again.secret != made.secret
    assert keys.rotate(account_id, made.id, signed=False).secret == ""


def test_keys_of_another_account_are_not_there(account_id, make_account):
    made = keys.add(account_id, title="x")
    other = make_account().id
    for call in (keys.edit, keys.rotate, keys.remove):
        with pytest.raises(NotFound):
            call(other, made.id)
        db.session.rollback()
    assert keys.listed(other) == []


def test_a_campaign_of_another_account_is_not_there(account_id, others_world):
    with pytest.raises(NotFound):
        keys.add(account_id, title="x", campaign=others_world.campaign())


def test_keys_are_counted(account_id, monkeypatch):
    monkeypatch.setattr("app.services.accounts.quotas._count", lambda *_: Quota.EVENT_KEYS)
    with pytest.raises(PlanLimit):
        keys.add(account_id, title="x")
