"""tariff/* and pay/*: plans, and paying for them. All of it answers the unpaid too."""

from __future__ import annotations

from flask import Blueprint, Response, g, request

from app.domain.tariffs import PLANS
from app.schemas import load
from app.schemas.tariffs import (
    PaymentCheck,
    PaymentCheckOut,
    PaymentOut,
    TariffBuy,
    TariffHistory,
    TariffOut,
)
from app.services.billing import tariffs
from app.web.auth import api_key_even_unpaid, public
from app.web.responses import page, success

blueprint = Blueprint("tariffs", __name__, url_prefix="/api")


@blueprint.get("/tariff/list.json")
@api_key_even_unpaid
def listed() -> Response:
    """The plans on offer."""
    return success(TariffOut(many=True).dump(PLANS.values()))


@blueprint.post("/tariff/buy.json")
@api_key_even_unpaid
def buy() -> Response:
    """Choose a plan; a paid one answers where to pay."""
    url = tariffs.buy(g.account.id, load(TariffBuy())["tariff"])
    return success({"url": url}) if url else success()


@blueprint.get("/tariff/history.json")
@api_key_even_unpaid
def history() -> Response:
    """What was bought, newest first."""
    found = tariffs.history(g.account.id, **load(TariffHistory()))
    return page(PaymentOut(many=True).dump(found.rows), found.total)


@blueprint.post("/pay/acp")
@public  # the gateway proves itself by its signature
def confirm() -> Response:
    """The gateway's push."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    tariffs.confirm(request.get_data(), headers, request.args.to_dict())
    return success()


@blueprint.get("/pay/check")
@public  # whoever holds the reference may know whether it is paid
def check() -> Response:
    """Where the buyer comes back to; asks the gateway."""
    return success(PaymentCheckOut().dump(tariffs.check(load(PaymentCheck())["payment"])))
