"""What the dashboard and the alert rules ask for is what /metrics answers."""

import json
import re

import pytest

from app.services import metrics
from tests.support import ROOT

FOLDER = ROOT / "docs" / "monitoring"
ALERTS = (FOLDER / "alerts.yml").read_text()
DASHBOARD = json.loads((FOLDER / "grafana.json").read_text())
QUERIES = [
    target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]
] + re.findall(r"expr: (?:>-\n)?((?:.|\n)*?)\n +for:", ALERTS)
#: A metric, and the value of its one label where a query names one.
METRIC = re.compile(r'(gatepost_\w+)(?:\{(\w+)="(\w+)"\})?')


@pytest.fixture
def answered(app, monkeypatch):
    """Every sample of /metrics, by name, label and value; with a store of media."""
    store = type("Store", (), {"answers": staticmethod(lambda: True)})()
    monkeypatch.setattr(metrics, "configured_store", lambda: store)
    with app.app_context():
        return {
            (sample.name, *pair)
            for family in metrics.metrics()
            for sample in family.samples
            for pair in [(), *sample.labels.items()]
        }


def test_there_is_a_query_for_each_panel_and_rule():
    assert len(QUERIES) >= len(DASHBOARD["panels"]) + ALERTS.count("- alert:")
    assert ALERTS.count("- alert:") == ALERTS.count("summary:") == ALERTS.count("severity:")


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_asks_for_metrics_that_exist(answered, query):
    asked = METRIC.findall(query)
    assert asked
    for name, label, value in asked:
        assert ((name, label, value) if label else (name,)) in answered


def test_every_metric_is_on_the_dashboard(answered):
    drawn = " ".join(QUERIES)
    assert all(name in drawn for name, *_ in answered if not name.endswith("_created"))
