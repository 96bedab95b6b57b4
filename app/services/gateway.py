"""The payment gateway of this installation, if the operator configured one."""

from __future__ import annotations

import json

from app.config import BadSetting, Settings
from plugins import gateways


def configured(settings: Settings) -> gateways.Gateway | None:
    """The gateway that the environment names. Raises BadSetting; None if it names none."""
    if not settings.payment_gateway:
        return None
    try:
        return gateways.load(settings.payment_gateway, json.loads(settings.payment_settings))
    except gateways.NotAGateway as error:
        raise BadSetting(f"PAYMENT_GATEWAY or PAYMENT_SETTINGS: {error}") from error
