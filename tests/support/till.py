"""What buyers do, and what becomes of their accounts and payments."""

from __future__ import annotations

from sqlalchemy import select

from app.models import Account, Payment
from tests.support.desk import ANN, TOKEN, rows


def state(account):
    (row,) = rows(select(Account).where(Account.id == account.id))
    return row.tariff, row.paid_until


def payments():
    return rows(select(Payment).order_by(Payment.id))


def bought(mine, plan="cat"):
    return mine.post("tariff/buy", tariff=plan)["data"]["url"]


def paid(till, link, person=ANN):
    """The person pays the link: the checkout, and then the money."""
    checkout = till.telegram.pay(TOKEN, link, person)
    till.fetch()
    till.fetch()
    return checkout


def paid_twice(till, link):
    """Two press at once, and both pay the same link."""
    for _ in range(2):
        till.telegram.pay(TOKEN, link, ANN)
    till.fetch()
    till.fetch()
    return payments()
