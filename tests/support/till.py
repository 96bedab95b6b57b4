"""What buyers do, and what becomes of their accounts and payments."""

from sqlalchemy import select, update

from app.extensions import db
from app.models import Account, Payment
from tests.support.desk import ANN, TOKEN, rows

DAY = 86_400


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


def age(days):
    """All that was bought happened so many days earlier."""
    back = days * DAY
    payment = Payment.__table__
    ago = {name: payment.c[name] - back for name in ("created", "paid", "until")}
    db.session.execute(payment.update().values(ago))
    db.session.execute(update(Account).values(paid_until=Account.paid_until - back))
    db.session.commit()
