"""Plans are bought by their names; an unpaid payment has no amount."""

from types import SimpleNamespace

import pytest
from marshmallow import ValidationError

from app.domain.tariffs import PLANS
from app.models import PaymentState
from app.schemas.tariffs import PaymentCheck, PaymentCheckOut, PaymentOut, TariffBuy


@pytest.mark.parametrize("plan", PLANS)
def test_every_plan_can_be_bought_by_its_name(plan):
    assert TariffBuy().load({"tariff": plan}) == {"tariff": plan}


@pytest.mark.parametrize("plan", ["lion", "", None, 0])
def test_no_other_plan_can(plan):
    with pytest.raises(ValidationError, match="tariff"):
        TariffBuy().load({"tariff": plan})


@pytest.mark.parametrize("state", PaymentState)
def test_a_payment_is_shown_with_the_name_of_its_state(state):
    row = SimpleNamespace(
        id=1, tariff="cat", gateway="telegram_stars", state=state, amount=None, currency="",
        created=86_400, paid=None, until=None, refunded=None, reference="r3ference",
    )  # fmt: skip
    shown = PaymentOut().dump(row)
    assert (shown["state"], shown["amount"]) == (state.name.lower(), None)
    assert (shown["created"], shown["paid"]) == ("1970-01-02 00:00:00", "0000-00-00 00:00:00")
    assert "r3ference" not in str(shown)
    assert set(PaymentCheckOut().dump(row)) == {"tariff", "state", "until"}


@pytest.mark.parametrize("reference", ["", "x" * 65, 7, None])
def test_a_payment_is_checked_by_its_reference_only(reference):
    with pytest.raises(ValidationError, match="payment"):
        PaymentCheck().load({"payment": reference})
    assert PaymentCheck().load({"payment": "x" * 64})
