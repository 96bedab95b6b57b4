"""The adapter of Yandex Metrica against its double, over HTTP."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from app.sandbox.serving import running
from app.sandbox.telegram.faults import Manner
from app.sandbox.vendors.metrica import MetricaDouble, error
from plugins.contract import Event, EventKind, Outcome, Verdict
from plugins.registry import make_adapter
from plugins.testing import sample_event
from plugins.trackers import yandex_metrica
from tests.support.courier import Courier

ADAPTER = make_adapter("yandex_metrica", yandex_metrica)
CLIENT = "133591247640966458"


class Metrica:
    """The double, and how to tell it something."""

    def __init__(self, double: MetricaDouble, url: str, courier: Courier) -> None:
        self.double = double
        self._courier = courier
        self._typed = {"counter": double.counter, "access_token": double.token, "base_url": url}

    def settings(self, **more: Any) -> dict[str, Any]:
        return ADAPTER.check_settings({**self._typed, **more})

    def tell(
        self, kind: EventKind, age: int = 5, touch: dict[str, str] | None = None, **more: Any
    ) -> Outcome:
        """What the answer means."""
        now = int(time.time())
        event: Event = sample_event(kind, click=CLIENT, time=now - age, touch=touch or {})
        (outcome,) = self._courier(ADAPTER, event, self.settings(**more))
        return outcome

    def probe(self, **more: Any) -> Outcome:
        return self._courier.probe(ADAPTER, self.settings(**more))


@pytest.fixture
def metrica(courier: Courier) -> Iterator[Metrica]:
    double = MetricaDouble()
    with running(double) as url:
        yield Metrica(double, url, courier)


@pytest.mark.parametrize("column", ["ClientId", "Yclid", "UserId"])
def test_each_event_with_a_goal_is_a_row(metrica: Metrica, column: str):
    goals = {kind.value: f"goal_{kind.value}" for kind in EventKind}
    for kind in EventKind:
        told = metrica.tell(
            kind, events=goals, click_type=column, values={"approve": 1}, currency="RUB"
        )
        assert told.verdict is Verdict.DELIVERED
    rows = metrica.double.rows()
    assert [row["Target"] for row in rows] == list(goals.values())
    assert {row[column] for row in rows} == {CLIENT}
    assert [row.get("Price") for row in rows] == [None, None, "1.00", None, None]


def test_a_click_of_our_door_is_a_row_with_what_the_click_brought(metrica: Metrica):
    touch = {"source": "abcd1234", "yclid": "1234567890123456789"}
    assert metrica.tell(EventKind.APPROVE, touch=touch).verdict is Verdict.DELIVERED
    assert [row["Yclid"] for row in metrica.double.rows()] == [touch["yclid"]]


def test_what_has_not_happened_yet_is_refused(metrica: Metrica):
    outcome = metrica.tell(EventKind.APPROVE, age=-3600)
    assert outcome.verdict is Verdict.REJECTED
    assert "in the past" in outcome.reason
    assert metrica.double.rows() == []


@pytest.mark.parametrize(
    "wrong", [{"access_token": "y0_another-token"}, {"counter": "99"}], ids=str
)
def test_a_wrong_token_or_counter_parks_the_destination(metrica: Metrica, wrong: dict[str, str]):
    outcome = metrica.tell(EventKind.APPROVE, **wrong)
    assert (outcome.verdict, outcome.disable_destination) == (Verdict.RETRY, True)
    assert not metrica.probe(**wrong).verdict.is_success


def test_the_probe_is_good_before_and_after_the_first_upload(metrica: Metrica):
    assert metrica.probe().verdict.is_success
    metrica.tell(EventKind.APPROVE)
    assert metrica.probe().verdict.is_success
    assert len(metrica.double.rows()) == 1


def test_a_quota_and_a_broken_connection_are_tried_again(metrica: Metrica):
    metrica.double.order(error(429, "quota_requests", "Too many requests", **{"Retry-After": "7"}))
    metrica.double.order(Manner.DROP)
    first = metrica.tell(EventKind.APPROVE)
    assert (first.verdict, first.retry_after) == (Verdict.RETRY, 7)
    assert metrica.tell(EventKind.APPROVE).verdict is Verdict.RETRY
    assert metrica.tell(EventKind.APPROVE).verdict is Verdict.DELIVERED
