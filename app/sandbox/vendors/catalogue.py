"""The doubles of all vendors, each with the settings that connect it.

For `python -m app.sandbox`, and for the tests that hold every adapter to the
same promises.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from app.sandbox.vendors.adtarget import AdTargetDouble
from app.sandbox.vendors.altcraft import AltcraftDouble
from app.sandbox.vendors.altercpa import AltercpaDouble
from app.sandbox.vendors.keitaro import KeitaroDouble
from app.sandbox.vendors.meta import MetaDouble
from app.sandbox.vendors.metrica import MetricaDouble
from app.sandbox.vendors.tiktok import TiktokDouble
from app.sandbox.vendors.vendor import VendorDouble
from app.sandbox.vendors.webhook_receiver import ReceiverDouble

# They open nothing but the doubles.
ALTERCPA_KEY: Final = "42-d3adb33f"
ADTARGET_KEY: Final = "atk_live_12345678_abcdefghijklmnopqrstuvwxyz012345"
ALTCRAFT_TOKEN: Final = "0123456789abcdef0123456789abcdef"  # noqa: S105
KEITARO_KEY: Final = "0d6b0f1c2a"
WEBHOOK_SECRET: Final = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="  # noqa: S105


@dataclass(frozen=True, slots=True)
class Vendor:
    """One vendor's double. `settings` gives what `dest/add` takes for it at a URL."""

    tracker: str
    double: VendorDouble
    settings: Callable[[str], dict[str, Any]]


def every() -> list[Vendor]:
    """Return a fresh double of each vendor, with settings for all five events."""
    makers = (_altercpa, _adtarget, _altcraft, _keitaro, _meta, _tiktok, _metrica, _own)
    return [make() for make in makers]


def _altercpa() -> Vendor:
    double = AltercpaDouble(ALTERCPA_KEY)
    return Vendor("altercpa_lite", double, lambda url: {"domain": _host(url), "key": ALTERCPA_KEY})


def _adtarget() -> Vendor:
    double = AdTargetDouble()
    double.ring.add(ADTARGET_KEY)
    double.account.sites = {"atid_1"}
    events = {kind: {"type": "Custom"} for kind in ("wait", "cancel", "trash")}
    return _by_url("adtarget_capi", double, key=ADTARGET_KEY, site="atid_1", events=events)


def _altcraft() -> Vendor:
    double = AltcraftDouble()
    double.access.tokens = {ALTCRAFT_TOKEN}
    double.account.databases, double.account.pixels = {1: []}, {7}
    return _by_url("altcraft", double, token=ALTCRAFT_TOKEN, db_id=1, pixel_id=7, per_second=1000)


def _keitaro() -> Vendor:
    def settings(url: str) -> dict[str, Any]:
        fields = {"domain": _host(url), "postback_key": KEITARO_KEY}
        return {"preset": "keitaro", "fields": fields}

    return Vendor("url_template", KeitaroDouble(KEITARO_KEY), settings)


def _meta() -> Vendor:
    double = MetaDouble()
    return _by_url("meta_capi", double, pixel_id=double.pixel, access_token=double.token)


def _tiktok() -> Vendor:
    double = TiktokDouble()
    return _by_url("tiktok_events", double, pixel_code=double.pixel, access_token=double.token)


def _metrica() -> Vendor:
    double = MetricaDouble()
    events = {"cancel": "telegram_leave", "trash": "telegram_kick"}
    fixed = {"counter": double.counter, "access_token": double.token, "click_type": "UserId"}
    return _by_url("yandex_metrica", double, **fixed, events=events)


def _own() -> Vendor:
    double = ReceiverDouble(WEBHOOK_SECRET)
    return Vendor("webhook", double, lambda url: {"url": f"{url}/hook", "secret": WEBHOOK_SECRET})


def _by_url(tracker: str, double: VendorDouble, **fixed: Any) -> Vendor:
    return Vendor(tracker, double, lambda url: {**fixed, "base_url": url})


def _host(url: str) -> str:
    return url.removeprefix("http://")
