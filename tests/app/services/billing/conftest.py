"""The service bot sells plans, and Ann buys them."""

import json

import pytest

from app.services.billing import gateway
from tests.support.desk import ANN

SETTINGS = {"stars": {"cat": 1800}, "stars_per_usd": 75.3, "support": "@gate_support"}


@pytest.fixture
def till(desk, live_app, change_settings):
    """The service bot sells plans for Stars."""
    change_settings(payment_gateway="telegram_stars", payment_settings=json.dumps(SETTINGS))
    live_app.extensions["gateway"] = gateway.configured(live_app.config["SETTINGS"])
    yield desk
    live_app.extensions["gateway"] = None


@pytest.fixture
def ann(make_account):
    return make_account(tg_id=ANN.id)


@pytest.fixture
def mine(api, ann):
    return api(ann.key)
