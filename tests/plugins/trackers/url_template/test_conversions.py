"""Conversions by URL: macros of money, and trackers that keep each as one of its own."""

from urllib.parse import parse_qs, urlsplit

import pytest

from app.sandbox.serving import running
from app.sandbox.vendors.keitaro import KeitaroDouble
from plugins.contract import ConversionKind
from plugins.registry import Registry
from plugins.testing import sample_event

ADAPTER = Registry.load(entry_points=()).get("url_template")
PURCHASE, REFUND = ConversionKind.PURCHASE, ConversionKind.REFUND
URL = "https://t.example/pb?s={status}&v={value}&c={value_currency}&n={name}&id={event_id}"


def query(event, **settings):
    (request,) = ADAPTER.build(event, ADAPTER.check_settings(settings))
    parsed = parse_qs(urlsplit(request.url).query, keep_blank_values=True)
    return {name: values[0] for name, values in parsed.items()}


def test_the_macros_of_money_are_filled_in():
    assert query(sample_event(PURCHASE, id="e1"), urls={"purchase": URL}) == {
        "s": "purchase", "v": "49.5", "c": "USD", "n": "deposit", "id": "e1",
    }  # fmt: skip
    assert query(sample_event(REFUND), urls={"refund": URL})["v"] == "-49.5"


def test_other_events_have_no_money():
    told = query(sample_event(), urls={"approve": URL})
    assert (told["v"], told["c"], told["n"]) == ("", "", "")


def test_the_customers_word_stands_for_the_status():
    told = query(sample_event(PURCHASE), urls={"purchase": URL}, statuses={"purchase": "sale"})
    assert told["s"] == "sale"


def test_a_kind_without_a_url_is_not_sent():
    settings = ADAPTER.check_settings({"urls": {"purchase": URL}})
    assert ADAPTER.build(sample_event(REFUND), settings) == ()


@pytest.mark.parametrize("preset", ["keitaro", "orbitra"])
@pytest.mark.parametrize("mode", ["one", "separate"])
def test_keitaro_shows_the_second_purchase_by_its_tid(preset, mode, courier):
    double = KeitaroDouble("key-1234")
    with running(double) as url:
        domain = urlsplit(url).netloc
        fields = {"domain": domain, "postback_key": "key-1234", "payout": "1", "currency": "EUR"}
        settings = ADAPTER.check_settings({"preset": preset, "mode": mode, "fields": fields})
        settings["scheme"] = "http"
        for number in ("c1", "c2", "c2"):
            event = sample_event(PURCHASE, id=number, click="click-1")
            (outcome,) = courier(ADAPTER, event, settings)
            assert outcome.verdict.is_success
        event = sample_event(ConversionKind.REGISTER, id="c3", click="click-1")
        courier(ADAPTER, event, settings)
    kinds = {tid: kind for (subid, tid), kind in double.conversions.items() if subid == "click-1"}
    assert kinds == {"c1": "sale", "c2": "sale", "c3": "lead"}


def test_the_currency_of_a_purchase_is_its_own_and_not_the_presets():
    fields = {
        "domain": "t.example", "postback_key": "key-1234", "payout": "1", "currency": "EUR",
    }  # fmt: skip
    told = query(sample_event(PURCHASE, id="c1"), preset="keitaro", fields=fields)
    assert told == {
        "subid": "Click_1-2", "status": "sale", "sale_status": "sale", "tid": "c1",
        "return": "postback-recorded",
        "payout": "49.5", "currency": "USD",
    }  # fmt: skip
