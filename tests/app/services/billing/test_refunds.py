"""A payment that is given back takes the unused days that it bought, and no others."""

import json
import threading
import time

from sqlalchemy import update

from app.extensions import db
from app.models import Account, Payment, PaymentState
from app.sandbox.telegram import people
from app.services.billing import refunds
from app.services.bots import webhooks
from tests.support.desk import ANN, TOKEN
from tests.support.till import age, bought, paid, paid_twice, payments, state

DAY = 86_400


def test_a_refund_gives_the_stars_back_and_takes_the_plan(till, mine, ann, run):
    paid(till, bought(mine))
    (payment,) = payments()
    listed = run(f"payment list --login {ann.login}")
    assert json.loads(listed.stdout)["id"] == payment.id
    given = run(f"payment refund --id {payment.id}")
    assert (given.exit_code, given.stdout) == (
        0,
        f"payment {payment.id} is given back: 1800 XTR\n",
    )
    (call,) = till.telegram.calls(TOKEN, "refundStarPayment")
    assert call.params == {"user_id": ANN.id, "telegram_payment_charge_id": payment.charge}
    assert state(ann) == ("kitten", None)
    assert mine.get("tariff/history")["data"][0]["state"] == "refunded"
    till.speak()
    assert "given back" in till.sent_to(ANN)[-1].text


def test_a_refund_is_counted_once_however_often_it_is_told(till, mine, ann, run):
    paid(till, bought(mine))
    (payment,) = payments()
    for _ in range(2):
        assert run(f"payment refund --id {payment.id}").exit_code == 0
    assert till.fetch() == 1  # Telegram tells of it too
    assert state(ann) == ("kitten", None)
    assert len(till.telegram.calls(TOKEN, "refundStarPayment")) == 1
    assert len([one for one in till.staged() if "given back" in one.text]) == 1


def test_a_refund_that_telegram_tells_of_has_the_same_effect(till, mine, ann):
    checkout = paid(till, bought(mine))
    webhooks.api_of(TOKEN).call(
        "refundStarPayment", user_id=ANN.id, telegram_payment_charge_id=checkout.charge
    )
    till.fetch()
    assert payments()[0].state == PaymentState.REFUNDED
    assert state(ann) == ("kitten", None)


def test_a_refund_that_was_made_but_not_written_down_is_written_down(till, mine, ann, run):
    checkout = paid(till, bought(mine))
    webhooks.api_of(TOKEN).call(
        "refundStarPayment", user_id=ANN.id, telegram_payment_charge_id=checkout.charge
    )
    assert run(f"payment refund --id {payments()[0].id}").exit_code == 0
    assert payments()[0].state == PaymentState.REFUNDED


def test_a_refund_that_cannot_be_says_why_and_changes_nothing(till, mine, ann, run, live_app):
    bought(mine)
    number = payments()[0].id
    assert "was never paid" in run(f"payment refund --id {number}").stderr
    assert "there is no payment 99" in run("payment refund --id 99").stderr
    paid(till, payments()[0].url)
    till.telegram.fail(TOKEN, "refundStarPayment", "server_error")
    assert run(f"payment refund --id {number}").exit_code == 1
    db.session.execute(update(Payment).values(gateway="signed_gateway"))
    db.session.commit()
    assert "it was paid by signed_gateway" in run(f"payment refund --id {number}").stderr
    live_app.extensions["gateway"] = None
    assert run(f"payment refund --id {number}").exit_code == 1
    assert state(ann)[0] == "cat"


def test_two_who_give_back_at_once_take_the_days_once(till, api, make_account, live_app):
    until = int(time.time()) + 2 * DAY
    cat = make_account(tg_id=ANN.id, tariff="cat", paid_until=until)
    paid(till, bought(api(cat.key)))
    number = payments()[0].id

    def give_back():
        with live_app.app_context():
            refunds.refund(number)

    threads = [threading.Thread(target=give_back) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    till.fetch()
    assert state(cat) == ("cat", until)


def test_a_renewal_that_is_given_back_leaves_the_days_before_it(till, api, make_account, run):
    until = int(time.time()) + 2 * DAY
    cat = make_account(tg_id=ANN.id, tariff="cat", paid_until=until)
    paid(till, bought(api(cat.key), "tiger"))
    assert state(cat) == ("tiger", until + 30 * DAY)
    run(f"payment refund --id {payments()[0].id}")
    assert state(cat) == ("cat", until)


def test_a_first_payment_given_back_leaves_what_was_stacked_upon_it(till, mine, ann, run):
    one, two = paid_twice(till, bought(mine))
    run(f"payment refund --id {one.id}")
    assert state(ann) == ("cat", one.paid + 30 * DAY)
    run(f"payment refund --id {two.id}")
    assert state(ann) == ("kitten", None)


def test_the_last_of_two_payments_is_given_back_first_all_the_same(till, mine, ann, run):
    one, two = paid_twice(till, bought(mine))
    run(f"payment refund --id {two.id}")
    assert state(ann) == ("cat", one.paid + 30 * DAY)
    run(f"payment refund --id {one.id}")
    assert state(ann) == ("kitten", None)


def test_a_payment_whose_days_are_over_takes_none_of_a_later_one(till, mine, ann, run):
    paid(till, bought(mine))
    age(100)
    paid(till, bought(mine))
    was = state(ann)
    run(f"payment refund --id {payments()[0].id}")
    assert state(ann) == was


def test_days_that_were_used_are_not_taken_from_an_upgrade(till, mine, ann, run):
    paid(till, bought(mine))
    age(28)
    paid(till, bought(mine, "tiger"))
    tariff, until = state(ann)
    run(f"payment refund --id {payments()[0].id}")
    assert state(ann) == (tariff, until - 2 * DAY)


def test_a_plan_that_the_operator_gave_later_survives_a_refund(till, mine, ann, run):
    paid(till, bought(mine))
    age(100)
    granted = int(time.time()) + 20 * DAY
    db.session.execute(update(Account).values(tariff="tiger", paid_until=granted))
    db.session.commit()
    run(f"payment refund --id {payments()[0].id}")
    assert state(ann) == ("tiger", granted)


def test_money_that_went_back_before_it_was_told_to_come_grants_nothing(till, mine, ann):
    bought(mine)
    told = {
        "currency": "XTR", "total_amount": 1800, "invoice_payload": payments()[0].ref,
        "telegram_payment_charge_id": "early", "provider_payment_charge_id": "",
    }  # fmt: skip
    till.receive(people.refunded_payment(ANN, told), people.successful_payment(ANN, told))
    assert state(ann) == ("kitten", None)
    (payment,) = payments()
    assert payment.state == PaymentState.REFUNDED


def test_a_plan_that_the_operator_gave_for_good_survives_a_refund(till, mine, ann, run):
    paid(till, bought(mine))
    db.session.execute(update(Account).values(tariff="tiger", paid_until=None))
    db.session.commit()
    run(f"payment refund --id {payments()[0].id}")
    assert state(ann) == ("tiger", None)
