"""tariff/* and pay/*: plans, and paying for them. All of it answers the unpaid too."""

from flask import Blueprint, g, request

from app.domain.tariffs import PLANS
from app.schemas.tariffs import (
    PaymentCheck,
    PaymentCheckOut,
    PaymentOut,
    PaymentUrl,
    TariffBuy,
    TariffHistory,
    TariffOut,
)
from app.services.billing import tariffs
from app.web.auth import api_key_even_unpaid, caller_network, public
from app.web.decorators import Params, answers, answers_page, describes_body, takes

blueprint = Blueprint("tariffs", __name__, url_prefix="/api")


@blueprint.get("/tariff/list.json")
@api_key_even_unpaid
@answers(TariffOut, many=True)
def listed() -> object:
    """The plans on offer."""
    return PLANS.values()


@blueprint.post("/tariff/buy.json")
@api_key_even_unpaid
@takes(TariffBuy)
@answers(PaymentUrl, optional=True)
def buy(params: Params) -> object:
    """Choose a plan; a paid one answers where to pay."""
    url = tariffs.buy(g.account.id, params["tariff"])
    return {"url": url} if url else None


@blueprint.get("/tariff/history.json")
@api_key_even_unpaid
@takes(TariffHistory)
@answers_page(PaymentOut)
def history(params: Params) -> object:
    """What was bought, newest first."""
    return tariffs.history(g.account.id, **params)


@blueprint.post("/pay/acp")
@public  # the gateway proves itself by its signature
@describes_body({"application/json": {}})  # in truth whatever the gateway sends
@answers()
def confirm() -> None:
    """The gateway's push. Its HTTP status tells whether to push again."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    tariffs.confirm(caller_network(), request.get_data, headers, request.args.to_dict())


@blueprint.get("/pay/check")
@public  # whoever holds the reference may know whether it is paid
@takes(PaymentCheck)
@answers(PaymentCheckOut)
def check(params: Params) -> object:
    """Where the buyer comes back to; asks the gateway."""
    return tariffs.check(params["payment"])
