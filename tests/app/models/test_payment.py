"""A charge of a gateway is one payment; a payment without a charge excludes no other."""

import itertools

import pytest
from sqlalchemy.exc import IntegrityError

from app.extensions import db
from app.models import Payment

_numbers = itertools.count(1)


@pytest.fixture
def pay(app, account):
    def pay(**fields):
        row = Payment(
            account_id=account.id, ref=f"ref-{next(_numbers)}", tariff="cat", created=1, **fields
        )
        db.session.add(row)
        db.session.flush()

    return pay


def test_a_charge_counts_once_for_each_gateway(pay):
    pay(gateway="one", charge="c-1")
    pay(gateway="two", charge="c-1")
    with pytest.raises(IntegrityError):
        pay(gateway="one", charge="c-1")


def test_invoices_that_nobody_has_paid_stand_beside_each_other(pay):
    pay(gateway="one", charge=None)
    pay(gateway="one", charge=None)
    assert db.session.query(Payment).filter_by(gateway="one").count() == 2
