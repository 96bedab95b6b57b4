"""Callers of the API are served at a rate, and told when to come again."""

import contextlib
import itertools

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import func, select

from app.errors import TooManyRequests
from app.extensions import db, wakeup
from app.models import IdempotencyKey
from app.services.accounts import rate_limits
from app.services.accounts.rate_limits import WORKING_ENDPOINTS, Limit
from app.services.conversions import idempotency
from app.web.shares.addresses import network_of

NOON = 1_780_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


def _away() -> redis.Redis:
    raise redis.ConnectionError("nobody is there")


def _granted(limit: Limit, caller: str = "1") -> bool:
    try:
        limit.hit(caller)
    except TooManyRequests:
        return False
    return True


@pytest.fixture(params=["shared", "local"])
def bucket(request, clean_redis):
    """Sixty a minute, five at once, counted in Redis or here."""
    shared = (lambda: clean_redis) if request.param == "shared" else _away
    return Limit("test", per_minute=60, burst=5, clock=Clock(), shared=shared)


def test_a_burst_passes_and_then_one_each_second(bucket):
    assert [_granted(bucket) for _ in range(7)] == [True] * 5 + [False] * 2
    bucket.clock.now += 1
    assert [_granted(bucket) for _ in range(2)] == [True, False]
    bucket.clock.now += 3600
    assert [_granted(bucket) for _ in range(7)] == [True] * 5 + [False] * 2


def test_what_weighs_more_counts_as_more_and_is_told_how_long_to_wait(bucket):
    bucket.hit("1", 4)
    with pytest.raises(TooManyRequests) as refused:
        bucket.hit("1", 3)
    assert refused.value.extra == {"retry_after": 2}
    bucket.hit("1")
    bucket.clock.now += 5
    bucket.hit("1", 5)
    assert not _granted(bucket)


def test_whoever_waits_as_long_as_told_is_let_in(bucket):
    for _ in range(5):
        bucket.hit("1")
    with pytest.raises(TooManyRequests) as refused:
        bucket.hit("1")
    assert refused.value.extra == {"retry_after": 1}
    bucket.clock.now += refused.value.extra["retry_after"]
    bucket.hit("1")


def test_callers_are_counted_apart(bucket):
    while _granted(bucket, "1"):
        pass
    assert _granted(bucket, "2")


def test_a_clock_that_is_set_back_shuts_nobody_out(bucket):
    while _granted(bucket):
        pass
    bucket.clock.now -= 86_400
    with pytest.raises(TooManyRequests) as refused:
        bucket.hit("1")
    assert refused.value.extra["retry_after"] == 1


# -- at the endpoints ---------------------------------------------------------


@pytest.fixture(autouse=True)
def standing_clocks(monkeypatch):
    """A slow test gives nobody new tokens."""
    for limit in (
        rate_limits.AUTHENTICATED,
        rate_limits.ANONYMOUS,
        rate_limits.OUTBOUND,
        rate_limits.TESTS,
        rate_limits.RESENDS,
        rate_limits.REPORTS,
        rate_limits.DECISIONS,
        idempotency.NOTES,
    ):
        monkeypatch.setattr(limit, "clock", lambda: NOON)


def _spend(limit: Limit, caller: str) -> None:
    while _granted(limit, caller):
        pass


def _error(response):
    assert response.status_code == 200
    return response.get_json()["error"]


def test_an_account_that_calls_too_fast_is_told_when_to_come_back(api, account):
    _spend(rate_limits.AUTHENTICATED, str(account.id))
    answer = api.get("profile/info")
    assert answer["error"] == "rate"
    assert answer["retry_after"] == 1


def test_wrong_keys_are_counted_by_address_and_right_ones_go_on(client, api):
    _spend(rate_limits.ANONYMOUS, "127.0.0.1")
    assert _error(client.get("/api/profile/info.json?id=1-wrong")) == "rate"
    assert _error(client.get("/api/profile/info.json")) == "rate"
    assert api.get("profile/info")["status"] == "ok"


def test_calls_that_ask_another_server_are_fewer(api, account):
    _spend(rate_limits.OUTBOUND, str(account.id))
    for path, body in {
        "dest/check": {"id": 1},
        "sites/check": {"id": 1},
        "bots/add": {"token": "1:x"},
        "profile/tracker": {"domain": "", "key": ""},
        "postbacks/test": {"template": "https://t.example/{click}", "send": 1},
    }.items():
        assert api.post(path, **body)["error"] == "rate", path
    shown = api.post("postbacks/test", template="https://t.example/{click}")
    assert shown["status"] == "ok"


def test_calls_go_on_while_redis_is_away(api, monkeypatch):
    nobody = redis.Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0))
    monkeypatch.setattr(wakeup, "_redis", nobody)
    few = Limit("callers", per_minute=600, burst=3, clock=lambda: NOON)
    monkeypatch.setattr(rate_limits, "AUTHENTICATED", few)
    answers = [api.get("profile/info") for _ in range(4)]
    assert [answer["status"] for answer in answers] == ["ok"] * 3 + ["error"]
    assert answers[-1]["error"] == "rate"


def test_a_probe_of_health_is_never_counted(client):
    _spend(rate_limits.ANONYMOUS, "127.0.0.1")
    assert client.get("/healthz").status_code == 200
    assert _error(client.get("/api/openapi.json")) == "rate"


def test_sending_again_by_the_ten_thousand_has_a_limit_of_its_own(api, account):
    _spend(rate_limits.RESENDS, str(account.id))
    assert api.post("postbacks/resend", state="failed")["error"] == "rate"
    assert api.get("postbacks/list")["status"] == "ok"


def test_reports_of_events_have_a_limit_of_their_own(api, account, client):
    _spend(rate_limits.REPORTS, str(account.id))
    assert api.post("events/add", event="deposit", lead=1)["error"] == "rate"
    assert api.post("events/value", id=1, value="5")["error"] == "rate"
    headers = {"Authorization": f"Bearer {account.key}"}
    for path in ("events/conversion", "leads/7/events", "leads/7/conversions/1/value"):
        answer = client.post(f"/api/v1/{path}", json={}, headers=headers)
        assert (answer.status_code, "Retry-After" in answer.headers) == (429, True), path
    assert api.get("events/list")["status"] == "ok"


@pytest.mark.parametrize("name", WORKING_ENDPOINTS)
def test_what_looks_at_each_word_counts_as_what_it_takes(api, monkeypatch, name):
    """A customer chooses the words, or whoever serves the page."""
    limit, seconds = WORKING_ENDPOINTS[name], itertools.count(step=1000)
    monkeypatch.setattr(limit, "clock", lambda: NOON)
    monkeypatch.setattr(limit, "processor", lambda: float(next(seconds)))
    path = {"campaigns": "camp", "destinations": "dest"}.get(name.split(".")[0], name.split(".")[0])
    call = f"{path}/{name.split('.')[1]}"
    body = {"id": 1, "bot": 1, "chat": -1, "tracker": "x", "settings": {}, "pb_wait": ""}
    assert api.post(call, **body).get("error") != "rate"
    assert api.post(call, **body)["error"] == "rate"


def test_keys_of_calls_that_record_nothing_are_stored_at_a_rate_of_their_own(api, account, client):
    def call(key: str) -> None:
        headers = {"Authorization": f"Bearer {account.key}", "Idempotency-Key": key}
        body = {"tempId": "a" * 22, "fbp": "fb.1.1790000000000.1234567890"}
        assert client.post("/api/v1/events/update-fbp", json=body, headers=headers).json["success"]

    def stored() -> int:
        return db.session.scalar(select(func.count()).select_from(IdempotencyKey))

    call("first")
    _spend(idempotency.NOTES, str(account.id))
    call("second")
    assert stored() == 1


def test_strangers_are_counted_by_what_one_caller_has():
    assert network_of("203.0.113.5") == "203.0.113.5"
    assert network_of("2001:db8:1:2::3") == network_of("2001:db8:1:2:ffff::") == "2001:db8:1:2::/64"
    assert network_of("a proxy's word") == "a proxy's word"


def test_deciding_over_many_requests_has_a_limit_of_its_own(api, account, world):
    campaign = world.campaign()
    most = [world.request(campaign) for _ in range(3)] + [10**9 + n for n in range(497)]
    assert api.post("requests/decide", decision="hold", ids=most)["data"]["count"] == 3
    _spend(rate_limits.DECISIONS, str(account.id))
    for path, body in {
        "requests/decide": {"decision": "hold", "ids": most},
        "requests/undo": {"batch": "x"},
        "rules/try": {"campaign": campaign},
    }.items():
        assert api.post(path, **body)["error"] == "rate", path
    assert api.post("requests/decide", decision="hold", campaign=campaign, dry=1)["error"] == "rate"
    assert api.get("requests/list")["total"] == 3


@pytest.mark.parametrize("seconds", [0.001, 0.2, 1.0, 3.0])
def test_work_has_its_share_of_a_minute_however_much_of_it_each_call_brings(app, seconds):
    """A token is soon there again, and must not let in what takes forty."""
    moment, worked = [1_800_000_000.0], [0.0]
    limit = Limit(
        "test-work", per_minute=120, burst=60, clock=lambda: moment[0], processor=lambda: worked[0]
    )
    calls = 0
    for _ in range(600):
        moment[0] += 0.1
        with contextlib.suppress(TooManyRequests), limit.hit_for_work("somebody"):
            calls += 1
            worked[0] += seconds
    assert worked[0] <= (60 + 120) * limit.work + rate_limits.WORK_IN_RESERVE + seconds
    assert calls >= min(60 + 119, int(60 * limit.work / seconds))
