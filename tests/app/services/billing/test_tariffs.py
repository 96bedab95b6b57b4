"""A payment counts once, at its price, and a smaller plan pauses what is beyond it."""

import itertools

import pytest

from app.domain.tariffs import FREE, PERIOD, PLANS
from app.domain.time_ranges import DAY
from app.errors import NotFound, PlanActive
from app.extensions import db
from app.models import Account, Campaign, CampaignStatus, Payment, PaymentState
from app.services.billing import tariffs
from plugins.payments.contract import Confirmation

NOW = 1_790_000_000
_numbers = itertools.count(1)


@pytest.fixture
def invoice(app, make_account):
    """`invoice("cat")`: the account that wants to buy, and the reference of its invoice."""

    def make(plan="cat", **fields):
        account, ref = make_account(), f"ref-{next(_numbers)}"
        db.session.add(
            Payment(
                account_id=account.id,
                ref=ref,
                tariff=plan,
                gateway="signed_gateway",
                created=NOW,
                **fields,
            )
        )
        db.session.commit()
        return account.id, ref

    return make


def _plan(account_id):
    row = db.session.get_one(Account, account_id, populate_existing=True)
    return row.tariff, row.paid_until


def _states(account_id):
    rows = db.session.query(Payment).filter_by(account_id=account_id).order_by(Payment.id)
    return [row.state for row in rows]


@pytest.mark.parametrize(("amount", "currency"), [(24, "USD"), (2400, "RUB")])
def test_any_price_of_the_plan_buys_a_period(invoice, amount, currency):
    account_id, ref = invoice()
    tariffs.settle(Confirmation(ref, True, amount, currency), NOW)
    assert _plan(account_id) == ("cat", NOW + PERIOD)


@pytest.mark.parametrize(
    "changes", [{"amount": 23}, {"currency": "EUR"}, {"amount": 2400}, {"is_paid": False}]
)
def test_what_is_not_the_price_or_not_paid_buys_nothing(invoice, changes):
    account_id, ref = invoice()
    values = {"is_paid": True, "amount": 24, "currency": "USD", **changes}
    tariffs.settle(Confirmation(ref, **values), NOW)
    assert (_plan(account_id), _states(account_id)) == ((FREE, None), [PaymentState.NEW])


def test_a_price_that_the_gateway_asked_is_the_only_one(invoice):
    account_id, ref = invoice(price=1800, price_currency="XTR")
    tariffs.settle(Confirmation(ref, True, 24, "USD"), NOW)
    assert _states(account_id) == [PaymentState.NEW]
    tariffs.settle(Confirmation(ref, True, 1800, "XTR", "charge"), NOW)
    assert _states(account_id) == [PaymentState.PAID]


def test_the_same_charge_counts_once_and_another_one_again(invoice):
    account_id, ref = invoice()
    for charge in ("one", "one", "two"):
        tariffs.settle(Confirmation(ref, True, 24, "USD", charge), NOW)
    assert _states(account_id) == [PaymentState.PAID] * 2
    assert _plan(account_id) == ("cat", NOW + 2 * PERIOD)


def test_a_refund_that_is_told_first_makes_the_payment_grant_nothing(invoice):
    account_id, ref = invoice()
    charge = Confirmation(ref, True, 24, "USD", "charge")
    tariffs.record_refund_without_payment(charge, NOW)
    tariffs.settle(charge, NOW)
    assert (_plan(account_id), _states(account_id)) == ((FREE, None), [PaymentState.REFUNDED])


def test_cheap_days_bought_by_invoices_of_earlier_do_not_become_dear_ones(invoice):
    account_id, ref = invoice("cat")
    invoices = [ref, *(f"{ref}-{plan}-{n}" for n in range(5) for plan in ("cat", "tiger"))]
    for other in invoices[1:]:
        plan = other.split("-")[-2]
        db.session.add(
            Payment(account_id=account_id, ref=other, tariff=plan, gateway="g", created=NOW)
        )
    for cat in (ref, *(other for other in invoices[1:] if "-cat-" in other)):
        tariffs.settle(Confirmation(cat, True, 24, "USD"), NOW)
    assert _plan(account_id) == ("cat", NOW + 6 * PERIOD)
    tariffs.settle(Confirmation(f"{ref}-tiger-0", True, 88, "USD"), NOW)
    tariff, until = _plan(account_id)
    assert tariff == "tiger"
    assert until - NOW - PERIOD == 3 * DAY + (6 * PERIOD - 3 * DAY) * 24 // 88


@pytest.mark.parametrize("ref", ["a\0b", "a\ud800b"])
def test_a_reference_that_no_database_stores_is_not_found(app, ref):
    with pytest.raises(NotFound):
        tariffs.settle(Confirmation(ref, True, 24, "USD"), NOW)


def test_a_payment_that_nobody_set_out_to_make_is_not_found(app):
    with pytest.raises(NotFound):
        tariffs.settle(Confirmation("no such reference", True, 24, "USD"), NOW)
    with pytest.raises(NotFound):
        tariffs.check("no such reference")


def test_a_smaller_plan_pauses_the_newest_campaigns_beyond_it(app, account, world):
    campaigns = [world.campaign() for _ in range(3)]
    deleted = world.campaign(status=CampaignStatus.DELETED)
    row = db.session.get_one(Account, account.id)
    tariffs.activate_plan(row, PLANS[FREE], None)
    db.session.commit()
    assert [db.session.get_one(Campaign, id_).status for id_ in (*campaigns, deleted)] == [
        CampaignStatus.ACTIVE,
        CampaignStatus.PAUSED,
        CampaignStatus.PAUSED,
        CampaignStatus.DELETED,
    ]


def test_a_plan_with_weeks_to_go_is_not_changed(app, account):
    with pytest.raises(PlanActive):
        tariffs.buy(account.id, "cat")
