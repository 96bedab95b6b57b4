from dataclasses import replace

import pytest
from flask import g
from markupsafe import Markup

from app.dashboard import formatting
from app.services.accounts.accounts import Caller

NOON = 1_780_000_000  # 2026-05-28 20:26:40 UTC


@pytest.fixture
def caller(app):
    with app.test_request_context():
        g.account = Caller(1, "en", "tiger", None, zone="Asia/Tokyo")
        yield g.account


def test_times_are_shown_in_the_accounts_zone(caller):
    assert formatting.moment(NOON) == (
        '<time datetime="2026-05-29T05:26:40+09:00">2026-05-29 05:26</time>'
    )
    assert formatting.minutes_east(NOON) == 540


def test_an_unknown_zone_is_utc(caller):
    g.account = replace(caller, zone="Mars/Olympus")
    assert "2026-05-28 20:26" in formatting.moment(NOON)
    assert formatting.zone_named("../../etc/passwd") is None


def test_what_is_not_known_is_a_dash(caller):
    assert formatting.moment(None) == formatting.number(None) == formatting.percent(None) == "—"


def test_numbers_are_grouped():
    assert formatting.number(1_234_567) == "1\u202f234\u202f567"


def test_beside_a_chart_numbers_are_short():
    shown = [formatting.compact(value) for value in (0, 9_999, 12_345, 925_926, 1_234_568)]
    assert shown == ["0", "9\u202f999", "12.3k", "926k", "1.23M"]
    assert formatting.percent(12.345) == "12.3\u202f%"


def test_how_long_ago_is_said_in_the_largest_unit(caller, monkeypatch):
    monkeypatch.setattr(formatting.time, "time", lambda: float(NOON))
    said = [formatting.ago(NOON - passed) for passed in (5, 60, 7200, 3 * 86_400)]
    assert said == ["just now", "1 minute ago", "2 hours ago", "3 days ago"]
    assert formatting.ago(None) == "never"


def test_characters_that_hide_or_turn_others_are_made_visible():
    assert formatting.visible("a\u202eb\x00c\u200bd\ne") == "a\\u202eb\u2400c\\u200bd\ne"
    assert formatting.visible("x" * 5000) == "x" * 4096 + "…"


def test_a_state_is_a_sign_and_a_word_which_is_text():
    assert formatting.pill("good", "<b>on</b>") == (
        '<span class="pill good"><span aria-hidden="true">●</span> &lt;b&gt;on&lt;/b&gt;</span>'
    )


def test_markup_stays_and_all_else_is_escaped_in_templates(app):
    template = app.jinja_env.from_string("{{ text }}|{{ markup }}|{{ odd }}|{{ text|upper }}")
    odd = type("Odd", (), {"__str__": lambda self: "<i>"})()
    page = template.render(text="<b>", markup=Markup("<u>"), odd=odd)
    assert page == "&lt;b&gt;|<u>|&lt;i&gt;|&lt;B&gt;"
    macro = app.jinja_env.from_string("{% macro m(t) %}{{ t }}{% endmacro %}{{ m(text) }}")
    assert macro.render(text="<b>") == "&lt;b&gt;"


def test_titles_are_cells_of_a_table(app):
    cells = formatting.TitleCells({7: "<b>\u202e" + "x" * 90})
    assert cells[7] == f"&lt;b&gt;\\u202e{'x' * 56}…"
    assert (cells[None], cells[8]) == ("—", "—")


def test_states_are_pills(app):
    shown = formatting.pills({2: ("good", "joined")})
    assert shown == {2: formatting.pill("good", "joined")}
