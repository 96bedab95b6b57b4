"""What an update says about money; and what it may be, whatever it is, is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.telegram import updates
from app.domain.telegram.payments import PreCheckout, StarsPayment, SupportAsked
from app.domain.telegram.updates import Ignored, LeadEvent
from app.sandbox.telegram import people
from app.sandbox.telegram.people import Person

ANN = Person(77, "Ann", language="ru")
MONEY = {
    "currency": "XTR",
    "total_amount": 1800,
    "invoice_payload": "ref-1",
    "telegram_payment_charge_id": "c-1",
    "provider_payment_charge_id": "",
}
QUERY = {"id": "9", "from": ANN.user(), **MONEY}


def read(update):
    return updates.parse({"update_id": 5, **update})


def test_a_checkout_is_read():
    assert read({"pre_checkout_query": QUERY}) == PreCheckout(77, "ru", "9", "ref-1", 1800, "XTR")


def test_money_that_came_and_went_is_read():
    assert read(people.successful_payment(ANN, MONEY)) == StarsPayment(
        "c-1", "ref-1", 1800, "XTR", 77
    )
    assert read(people.refunded_payment(ANN, MONEY)) == StarsPayment(
        "c-1", "ref-1", 1800, "XTR", None, is_back=True
    )


@pytest.mark.parametrize("words", ["/paysupport", "/paysupport@gate_bot", "/paysupport my money"])
def test_a_question_is_read(words):
    assert read(people.text(ANN, words)) == SupportAsked(77, "ru")


@pytest.mark.parametrize("words", ["/paysupports", "paysupport", "/pay", "/PaySupport"])
def test_other_words_are_ignored(words):
    assert isinstance(read(people.text(ANN, words)), Ignored)


def test_a_start_stays_a_start():
    assert isinstance(read(people.start(ANN, "abc123-c")), LeadEvent)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", 9),
        ("id", ""),
        ("invoice_payload", "x" * 129),
        ("invoice_payload", "nul\0"),
        ("invoice_payload", None),
        ("total_amount", "1800"),
        ("total_amount", True),
        ("total_amount", -1),
        ("total_amount", 1 << 63),
        ("from", {}),
        ("from", None),
    ],
)
def test_a_checkout_that_is_none_is_ignored_with_its_reason(name, value):
    said = read({"pre_checkout_query": {**QUERY, name: value}})
    assert isinstance(said, Ignored)
    assert said.reason.startswith("pre_checkout_query: ")


def test_money_in_a_group_is_nobodys():
    update = people.successful_payment(ANN, MONEY)
    update["message"]["chat"] = {"id": -5, "type": "supergroup"}
    assert isinstance(read(update), Ignored)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.floats(allow_nan=True),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)


@given(
    kind=st.sampled_from(["successful_payment", "refunded_payment"]),
    changes=st.dictionaries(st.sampled_from([*MONEY, "extra"]), ANYTHING),
)
def test_whatever_stands_in_a_payment_it_is_read_or_ignored(kind, changes):
    make = getattr(people, kind)
    says = read(make(ANN, {**MONEY, **changes}))
    assert isinstance(says, StarsPayment | Ignored)
    if isinstance(says, StarsPayment):
        assert 0 < len(says.charge) <= 255
        assert 0 < len(says.payload) <= 128
        says.payload.encode()


@given(st.dictionaries(st.sampled_from(list(QUERY)), ANYTHING))
def test_whatever_stands_in_a_checkout_it_is_read_or_ignored(changes):
    says = read({"pre_checkout_query": {**QUERY, **changes}})
    assert isinstance(says, PreCheckout | Ignored)
