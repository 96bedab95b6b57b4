from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from flask import g

from app.dashboard.periods import Period, as_range, choices, chosen_period, period_fields
from app.services.accounts.accounts import Caller

TOKYO = ZoneInfo("Asia/Tokyo")
NOW = int(datetime(2026, 5, 29, 5, 26, tzinfo=TOKYO).timestamp())


@pytest.fixture
def chosen(app):
    def choose(query):
        with app.test_request_context(f"/?{query}"):
            g.account = Caller(1, "en", "tiger", None, zone="Asia/Tokyo")
            period = chosen_period(NOW)
            ends = [datetime.fromtimestamp(at, TOKYO) for at in (period.since, period.until)]
            return period.name, *(f"{end:%m-%d %H:%M:%S}" for end in ends)

    return choose


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("period=today", ("today", "05-29 00:00:00", "05-29 23:59:59")),
        ("period=yesterday", ("yesterday", "05-28 00:00:00", "05-28 23:59:59")),
        ("period=7", ("7", "05-23 00:00:00", "05-29 23:59:59")),
        ("period=month", ("month", "05-01 00:00:00", "05-29 23:59:59")),
        ("", ("30", "04-30 00:00:00", "05-29 23:59:59")),
        ("period=nonsense", ("30", "04-30 00:00:00", "05-29 23:59:59")),
        ("from=2026-01-05&to=2026-01-06", ("own", "01-05 00:00:00", "01-06 23:59:59")),
        ("from=2026-01-07&to=2026-01-06", ("30", "04-30 00:00:00", "05-29 23:59:59")),
        ("from=0001-01-01&to=9999-12-31", ("30", "04-30 00:00:00", "05-29 23:59:59")),
        ("from=x&to=y", ("30", "04-30 00:00:00", "05-29 23:59:59")),
    ],
)
def test_a_period_is_of_days_in_the_accounts_zone(chosen, query, expected):
    assert chosen(query) == expected


def test_a_period_is_chosen_beside_the_other_filters(app):
    with app.test_request_context("/?campaign=7&compare=off&before=9&period=7"):
        queries = {name: query for name, _, query in choices()}
        assert queries["today"] == "campaign=7&compare=off&period=today"
        assert period_fields(Period("7", 0, 0, 0, 0)) == {"period": "7"}
    with app.test_request_context("/?from=2026-01-05&to=2026-01-06"):
        own = period_fields(Period("own", 0, 0, 0, 0))
        assert own == {"from": "2026-01-05", "to": "2026-01-06"}


def test_a_period_of_a_list_is_its_seconds(app, monkeypatch):
    monkeypatch.setattr("time.time", lambda: NOW)
    with app.test_request_context("/"):
        g.account = Caller(1, "en", "tiger", None, zone="Asia/Tokyo")
        filters = as_range({"status": "2", "period": "today"})
    day = int(datetime(2026, 5, 29, tzinfo=TOKYO).timestamp())
    assert filters == {"status": "2", "from": str(day), "to": str(day + 86_399)}
    assert as_range({"from": "5"}) == {"from": "5"}
