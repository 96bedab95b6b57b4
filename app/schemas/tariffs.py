"""Fields of tariff/* and pay/*."""

from app.domain.tariffs import PLANS
from app.models import PaymentState
from app.schemas import fields
from app.schemas.base import Input, Output
from app.schemas.pagination import Page


class TariffBuy(Input):
    """Which plan."""

    tariff = fields.Choice(*PLANS, required=True)


class PaymentUrl(Output):
    """`tariff/buy` of a plan that costs money: the page to pay on."""

    url = fields.Text()


class TariffOut(Output):
    """A row of `tariff/list`. `campaigns` is -1 for unlimited; prices are for 30 days."""

    code = fields.Text()
    name = fields.Text()
    campaigns = fields.Int()
    price_usd = fields.Int()
    price_rub = fields.Int()


class TariffHistory(Page):
    """The period is that of `created`."""


class PaymentOut(Output):
    """A row of `tariff/history`. Unpaid ones have no amount. Stars are the currency `XTR`."""

    id = fields.Int()
    tariff = fields.Text()
    gateway = fields.Text()
    state = fields.EnumName(PaymentState)
    amount = fields.Int()
    currency = fields.Text()
    created = fields.UtcText()
    paid = fields.UtcText()
    until = fields.UtcText()
    refunded = fields.UtcText()


class PaymentCheck(Input):
    """The payment's public reference, as it stands in the return address."""

    payment = fields.Text(64, required=True, not_empty=True)


class PaymentCheckOut(Output):
    """`pay/check`."""

    tariff = fields.Text()
    state = fields.EnumName(PaymentState)
    until = fields.UtcText()
