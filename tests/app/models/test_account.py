"""An account's tracker key is encrypted; SQL and the plans agree on who is suspended."""

import pytest
from sqlalchemy import inspect, text, update

from app.domain.tariffs import GRACE, PlanStatus, plan_status
from app.extensions import db
from app.models import Account, AccountStatus
from app.models.account import IS_SUSPENDED_SQL

NOW = 1_800_000_000


def test_the_key_of_a_tracker_is_encrypted_at_rest_and_loaded_on_request(app, account):
    db.session.get_one(Account, account.id).tracker_key = "tracker-key"
    db.session.commit()
    (stored,) = db.session.scalars(
        text("SELECT tracker_key FROM account WHERE id = :id"), {"id": account.id}
    )
    assert "tracker-key" not in stored
    row = db.session.get_one(Account, account.id, populate_existing=True)
    assert "tracker_key" in inspect(row).unloaded
    assert row.tracker_key == "tracker-key"


@pytest.mark.parametrize("status", list(AccountStatus))
@pytest.mark.parametrize("tariff", ["kitten", "cat", "tiger"])
@pytest.mark.parametrize("until", [None, 0, NOW - GRACE - 1, NOW - GRACE, NOW, NOW + 1])
def test_sql_calls_an_account_suspended_that_is_banned_or_whose_grace_is_over(
    app, account, status, tariff, until
):
    state = {"status": status, "tariff": tariff, "paid_until": until}
    db.session.execute(update(Account).where(Account.id == account.id).values(**state))
    query = text(f"SELECT {IS_SUSPENDED_SQL.format(owner=':id')}")
    lapsed = plan_status(tariff, until, NOW) is PlanStatus.LAPSED
    suspended = db.session.scalar(query, {"id": account.id, "now": float(NOW)})
    assert suspended is not None
    assert bool(suspended) == (status == AccountStatus.BANNED or lapsed)
