"""A plan is paid in Telegram Stars, once, by who it is for, and may be given back."""

import json
import time

import pytest
from sqlalchemy import select

from app.config import BadSetting
from app.models import PaymentState, Update, UpdateState
from app.sandbox.telegram import faults, people
from app.sandbox.telegram.bot.shop import CheckoutState
from app.services.billing import gateway
from app.services.leads import process
from app.services.messages.callbacks import CALLBACK_ANSWERS
from app.services.updates import inbox
from tests.support.desk import ANN, IVAN, TOKEN, rows
from tests.support.till import bought, paid, paid_twice, payments, state

DAY = 86_400
SETTINGS = {"stars": {"cat": 1800}, "stars_per_usd": 75.3, "support": "@gate_support"}
NOW = 1_790_000_000


def test_a_plan_is_bought_by_an_invoice_link(till, mine, ann):
    link = bought(mine)
    assert link.startswith("https://t.me/$")
    (call,) = till.telegram.calls(TOKEN, "createInvoiceLink")
    (payment,) = payments()
    assert call.params["payload"] == payment.ref
    assert (call.params["currency"], call.params["provider_token"]) == ("XTR", "")
    assert [price["amount"] for price in call.params["prices"]] == [1800]
    assert (payment.price, payment.price_currency) == (1800, "XTR")
    assert state(ann) == ("kitten", None)


def test_the_price_follows_from_dollars_where_none_is_set(till, mine):
    assert bought(mine, "tiger")
    assert payments()[0].price == 6627  # 88 x 75.3, rounded up


def test_who_pays_gets_the_plan_and_is_told(till, mine, ann, client):
    before = int(time.time())
    checkout = paid(till, bought(mine))
    assert checkout.state is CheckoutState.PAID
    tariff, until = state(ann)
    assert tariff == "cat"
    assert 0 <= until - before - 30 * DAY < 600
    (row,) = mine.get("tariff/history")["data"]
    assert (row["state"], row["amount"], row["currency"]) == ("paid", 1800, "XTR")
    (payment,) = payments()
    assert (payment.charge, payment.payer) == (checkout.charge, ANN.id)
    told = client.get(f"/api/pay/check?payment={payment.ref}").get_json()["data"]
    assert told["state"] == "paid"
    till.tell()
    till.speak()
    assert "Kitty" in till.sent_to(ANN)[-1].text


def test_a_payment_that_is_not_made_yet_is_checked_without_asking_anybody(till, mine, client):
    bought(mine)
    calls = len(till.telegram.calls(TOKEN))
    told = client.get(f"/api/pay/check?payment={payments()[0].ref}").get_json()["data"]
    assert told["state"] == "new"
    assert len(till.telegram.calls(TOKEN)) == calls
    assert client.post("/api/pay/acp").get_json()["error"] == "gateway"


def test_the_same_money_told_again_changes_nothing(till, mine, ann):
    paid(till, bought(mine))
    was = state(ann)
    (payment,) = payments()
    told = {
        "currency": "XTR", "total_amount": 1800, "invoice_payload": payment.ref,
        "telegram_payment_charge_id": payment.charge, "provider_payment_charge_id": "",
    }  # fmt: skip
    for number in (9001, 9002):
        till.receive({"update_id": number, **people.successful_payment(ANN, told)})
    assert state(ann) == was
    assert len(payments()) == 1
    assert len(till.notices()) == 1


def test_an_update_that_is_processed_again_after_a_crash_changes_nothing(
    till, mine, ann, monkeypatch
):
    with monkeypatch.context() as crash:
        crash.setattr(inbox, "finish", lambda *_: None)
        paid(till, bought(mine))
    was = state(ann)
    assert {row.state for row in rows(select(Update))} == {UpdateState.WAITING}
    process.process_updates(seconds=60)
    CALLBACK_ANSWERS.join()
    assert state(ann) == was
    assert len(payments()) == 1
    ended = rows(select(Update).where(Update.state != UpdateState.DONE))
    assert ended == []


def test_two_who_press_at_once_pay_for_two_periods(till, mine, ann, client):
    one, two = paid_twice(till, bought(mine))
    assert {one.state, two.state} == {PaymentState.PAID}
    assert one.charge != two.charge
    assert state(ann) == ("cat", one.paid + 60 * DAY)


def test_a_paid_invoice_is_not_paid_again(till, mine):
    link = bought(mine)
    paid(till, link)
    again = paid(till, link)
    assert (again.state, again.message) == (
        CheckoutState.REFUSED,
        "This invoice is paid already.",
    )
    assert len(payments()) == 1


def test_nobody_pays_for_a_stranger(till, mine, ann, make_account):
    make_account(tg_id=IVAN.id, lang="ru")
    link = bought(mine)
    refused = paid(till, link, IVAN)
    assert refused.state is CheckoutState.REFUSED
    assert "другого аккаунта" in refused.message
    assert state(ann) == ("kitten", None)


def test_a_price_that_changed_holds_for_who_has_the_link(till, mine, ann, live_app):
    link = bought(mine)
    live_app.extensions["gateway"].settings["stars"]["cat"] = 9
    assert paid(till, link).state is CheckoutState.PAID
    assert state(ann)[0] == "cat"


def test_what_may_not_be_bought_any_more_is_not_paid(till, mine, ann):
    cat, tiger = bought(mine), bought(mine, "tiger")
    assert paid(till, cat).state is CheckoutState.PAID
    refused = paid(till, tiger)
    assert refused.state is CheckoutState.REFUSED
    assert "3 days" in refused.message
    assert state(ann)[0] == "cat"


def test_after_the_operator_stopped_selling_links_are_dead_but_money_counts(
    till, mine, ann, live_app
):
    link = bought(mine)
    till.telegram.pay(TOKEN, link, ANN)
    till.fetch()
    live_app.extensions["gateway"] = None
    assert paid(till, link).message == "Plans are not sold for Stars any more."
    assert state(ann)[0] == "cat"


def test_an_account_without_telegram_is_told_what_to_do(till, api, make_account):
    answer = api(make_account().key).post("tariff/buy", tariff="cat")
    assert answer["error"] == "gateway"
    assert "not linked" in answer["message"]
    assert payments() == []


@pytest.mark.parametrize("fault", ["unauthorized", "server_error", "drop", "malformed"])
def test_when_telegram_makes_no_invoice_the_buyer_is_told(till, mine, fault):
    till.telegram.fail(TOKEN, "createInvoiceLink", fault)
    assert mine.post("tariff/buy", tariff="cat")["error"] == "gateway"
    assert bought(mine)


@pytest.mark.parametrize("fault", [faults.DROP, faults.SERVER_ERROR, faults.flood(1)])
def test_a_checkout_that_telegram_did_not_hear_is_answered_again(till, mine, ann, fault):
    till.telegram.fail(TOKEN, "answerPreCheckoutQuery", fault)
    assert paid(till, bought(mine)).state is CheckoutState.PAID
    assert state(ann)[0] == "cat"


def test_what_a_batch_that_came_to_nothing_would_have_said_is_not_said(till, mine, live_app):
    CALLBACK_ANSWERS.answer_checkout(
        live_app.config["SETTINGS"].telegram_api_url, TOKEN, "stale", "no"
    )
    assert paid(till, bought(mine)).state is CheckoutState.PAID
    assert len(till.telegram.calls(TOKEN, "answerPreCheckoutQuery")) == 1


@pytest.mark.parametrize("changes", [{"total_amount": 1799}, {"currency": "USD"}])
def test_another_sum_is_not_the_price(till, mine, ann, changes):
    bought(mine)
    told = {
        "currency": "XTR", "total_amount": 1800, "invoice_payload": payments()[0].ref,
        "telegram_payment_charge_id": "c", "provider_payment_charge_id": "", **changes,
    }  # fmt: skip
    till.receive(people.successful_payment(ANN, told))
    assert state(ann) == ("kitten", None)
    assert payments()[0].state == PaymentState.NEW


def test_another_bots_updates_about_money_are_nobodys(till, mine, ann, make_campaign):
    bought(mine)
    bot, _, _ = make_campaign(ann.id)
    told = {
        "currency": "XTR", "total_amount": 1800, "invoice_payload": payments()[0].ref,
        "telegram_payment_charge_id": "own", "provider_payment_charge_id": "",
    }  # fmt: skip
    till.receive(people.successful_payment(ANN, told), bot=bot)
    assert state(ann) == ("kitten", None)


def test_money_that_no_invoice_explains_is_logged_and_stops_nothing(till, mine, ann, caplog):
    told = {
        "currency": "XTR", "total_amount": 5, "invoice_payload": "of another shop",
        "telegram_payment_charge_id": "c-unknown", "provider_payment_charge_id": "",
    }  # fmt: skip
    till.receive(people.successful_payment(ANN, told), people.refunded_payment(ANN, told))
    assert paid(till, bought(mine)).state is CheckoutState.PAID
    said = [one.getMessage() for one in caplog.records if "c-unknown" in one.getMessage()]
    assert ["payment.unknown" in said[0], "refund.unknown" in said[1]] == [True, True]


# -- questions -----------------------------------------------------------------


def test_paysupport_names_who_to_ask_and_what_was_paid(till, mine):
    paid(till, bought(mine))
    till.receive(people.text(ANN, "/paysupport"))
    till.speak()
    text = till.sent_to(ANN)[-1].text
    assert "@gate_support" in text
    assert f"No. {payments()[0].id}: Kitty, 1800 XTR" in text


def test_paysupport_answers_who_has_no_account(till):
    till.receive(people.text(IVAN, "/paysupport@gate_service_bot my money"))
    till.speak()
    assert "@gate_support" in till.sent_to(IVAN)[-1].text
    assert "Вопрос" in till.sent_to(IVAN)[-1].text


def test_a_bot_that_sells_nothing_has_no_paysupport(desk):
    desk.receive(people.text(ANN, "/paysupport"))
    assert desk.staged() == []


# -- what is judged and what is configured -------------------------------------


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"SERVICE_BOT_TOKEN": ""}, "SERVICE_BOT_TOKEN"),
        ({"PAYMENT_SETTINGS": '{"support": "@me"}'}, "stars"),
        ({"PAYMENT_SETTINGS": '{"stars": {"cat": 0}, "support": "@me"}'}, "cat"),
        ({"PAYMENT_SETTINGS": '{"stars": {"cat": 10}}'}, "support"),
    ],
)
def test_a_wrong_setting_of_stars_stops_the_start(settings, changes, named):
    right = {
        "PAYMENT_GATEWAY": "telegram_stars",
        "PAYMENT_SETTINGS": json.dumps(SETTINGS),
        "SERVICE_BOT_TOKEN": TOKEN,
    }
    assert gateway.configured(settings(**right)).name == "telegram_stars"
    with pytest.raises(BadSetting, match=named):
        gateway.configured(settings(**{**right, **changes}))
