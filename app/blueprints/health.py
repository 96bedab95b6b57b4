"""What a load balancer and a monitor ask."""

from http import HTTPStatus
from typing import Final

from flask import Blueprint, Response, jsonify
from flask.typing import ResponseReturnValue
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from app.services import health
from app.services import metrics as metrics_of_all
from app.services.accounts.rate_limits import SCRAPES
from app.web.auth import caller_network, public
from app.web.shares.shared_answers import SharedAnswer

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@public
def alive() -> ResponseReturnValue:
    """200 while the process lives; asks nobody."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
@public
def ready() -> ResponseReturnValue:
    """200 if the database and Redis can be used, else 503; the body says what is wrong.

    A worker that gives no sign is named, and no reason to send callers elsewhere.
    """
    state = health.readiness()
    parts = {
        "database": (state.database, state.database_fault),
        "redis": (state.redis, state.redis_fault),
        "worker": (not state.worker_fault, state.worker_fault),
    }
    body: dict[str, object] = {part: is_good for part, (is_good, _) in parts.items()}
    if faults := {part: fault for part, (_, fault) in parts.items() if fault}:
        body["faults"] = faults
    if state.ready:
        return jsonify(status="ok", **body)
    return jsonify(status="error", **body), HTTPStatus.SERVICE_UNAVAILABLE


@blueprint.get("/metrics")
@public
def metrics() -> ResponseReturnValue:
    """Tell the state of the installation in Prometheus text format."""
    SCRAPES.hit(caller_network())
    return Response(SCRAPED.get(), content_type=CONTENT_TYPE_PLAIN_0_0_4)


class _Collector(Collector):
    def collect(self) -> list[Metric]:
        return list(metrics_of_all.metrics())


SCRAPED: Final = SharedAnswer(lambda: generate_latest(_Collector()))
