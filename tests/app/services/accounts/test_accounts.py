"""Accounts are made once, opened by their key only, and closed when they must be."""

import time

import pytest

from app.domain.tariffs import FREE, GRACE, PERIOD, PlanStatus
from app.errors import BadKey, BadParameter, Banned, NotFound, Unpaid
from app.extensions import db
from app.models import Account, CampaignStatus
from app.services.accounts import accounts

DAY = 86_400


def test_a_new_account_is_opened_by_its_key_and_stores_only_a_hash(app):
    created = accounts.create("shop", "The Shop", lang="ru")
    caller = accounts.authenticate(created.key)
    assert (caller.id, caller.lang, caller.tariff) == (created.id, "ru", FREE)
    stored = db.session.get_one(Account, created.id).key_hash
    assert created.key.partition("-")[2] not in stored


@pytest.mark.parametrize("login", ["", "   ", "x" * 65, "a\nb", "nul\0"])
def test_a_login_that_cannot_be_one_is_refused(app, login):
    with pytest.raises(BadParameter):
        accounts.create(login, "The Shop")


def test_a_login_belongs_to_one_account(app):
    accounts.create("shop", "The Shop")
    with pytest.raises(BadParameter, match="shop"):
        accounts.create("shop", "Another Shop")
    assert accounts.by_login("shop").name == "The Shop"


def test_a_paid_plan_is_granted_for_thirty_days_unless_said_otherwise(app):
    now = int(time.time())
    usual = accounts.create("a", "A", tariff="cat", now=now)
    longer = accounts.create("b", "B", tariff="cat", until=now + 99 * DAY, now=now)
    free = accounts.create("c", "C", now=now)
    ends = [db.session.get_one(Account, row.id).paid_until for row in (usual, longer, free)]
    assert ends == [now + PERIOD, now + 99 * DAY, None]
    accounts.set_tariff("c", "tiger", until=None, now=now)
    assert accounts.by_login("c").paid_until == now + PERIOD


@pytest.mark.parametrize(
    "key", ["", "-", "1", "x-y", "٣-secret", "9" * 19 + "-secret", "{id}-", "{id}-wrong"]
)
def test_a_wrong_key_opens_nothing(app, account, key):
    with pytest.raises(BadKey):
        accounts.authenticate(key.format(id=account.id))


def test_a_banned_account_is_refused_until_the_ban_is_lifted(app, account):
    accounts.ban(account.login, banned=True)
    with pytest.raises(Banned):
        accounts.authenticate(account.key)
    accounts.ban(account.login, banned=False)
    assert accounts.authenticate(account.key).id == account.id


def test_after_grace_an_account_may_only_do_what_helps_to_pay(app, make_account):
    now = int(time.time())
    in_grace = make_account(tariff="cat", paid_until=now - GRACE + 60)
    lapsed = make_account(tariff="cat", paid_until=now - GRACE - 60)
    assert accounts.authenticate(in_grace.key).id == in_grace.id
    with pytest.raises(Unpaid):
        accounts.authenticate(lapsed.key)
    assert accounts.authenticate(lapsed.key, must_be_paid=False).id == lapsed.id
    assert accounts.plan_status(in_grace) is PlanStatus.GRACE
    assert accounts.plan_status(lapsed) is PlanStatus.LAPSED


def test_authentication_leaves_no_transaction_open(live_app, account):
    accounts.authenticate(account.key)
    assert not db.session().in_transaction()


def test_a_login_nobody_has_is_not_found(app):
    with pytest.raises(NotFound):
        accounts.by_login("nobody")


def test_deleted_campaigns_do_not_count_towards_the_plan(app, account, world):
    for status in CampaignStatus:
        world.campaign(status=status)
    assert accounts.living_campaigns(account.id) == 2
    assert accounts.lock(account.id).id == account.id
