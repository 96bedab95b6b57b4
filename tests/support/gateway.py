"""A payment gateway that plans are sold through: a real server beside the application."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from app.sandbox.serving import running
from plugins.payments import registry
from tests.support.payment_gateway import GatewayDouble


@pytest.fixture
def gateway(app: Flask, change_settings: Callable[..., None]) -> Iterator[GatewayDouble]:
    """A running gateway that the application is configured for."""
    double = GatewayDouble()
    with running(double) as url:
        double.url = url
        change_settings(public_url="https://gatepost.example")
        app.extensions["gateway"] = registry.load("signed_gateway", double.settings)
        yield double
    app.extensions["gateway"] = None
