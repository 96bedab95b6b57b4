"""Warnings: a template known to be wrong has one, and a right one has none."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.contract import EventKind
from plugins.kit import macros
from plugins.trackers.url_template import presets
from plugins.trackers.url_template.lint import click_formats_of, read_beside, template_warnings
from plugins.trackers.url_template.look_alikes import presets_like

WAIT, APPROVE, CANCEL = EventKind.WAIT, EventKind.APPROVE, EventKind.CANCEL
#: Written into the documents of AlterCPA TOP; altercpa_top.md, section 10.
ATOP_KEITARO = "https://your-keitaro.com/postback?subid={click}&status=sale"
ATOP_BINOM = "https://your-binom.com/postback?clickid={click}&goal=approve"
ATOP_PRO = (
    "https://pro.example/api/site/status.json"
    "?token=7-ab&click={click}&status=hold&auto=1&exto={lead}"
)
KEITARO = "https://k.example/ab12/postback?subid={click}&"
AFFISE = "https://a.example/postback?clickid={click}&action_id={lead}&"
SCALEO = "https://a.scaletrk.com/track/conv-addchange?click_id={click}&token=abcd&"
REDTRACK = "https://r.example/postback?clickid={click}&sum=1&"
ADSGRAM = "https://api.adsgram.ai/confirm_conversion?token=abcd&"
PRO = "https://pro.example/api/site/status.json?token=7-ab&"
LITE = "https://a.example/api/tracker/postback.json?id=7-ab&click={click}&uid={lead}&"
BINOM = "https://b.example/click.php?cnv_id={click}&"
CHATTERFY = (
    "https://api.chatterfy.ai/api/postbacks/48d0524a-3abb-4cd5-82b8-404fa1cb4f7e/tracker-postback?"
)
FILLED = {
    "domain": "t.example",
    "postback_key": "48d0524a-3abb-4cd5-82b8-404fa1cb4f7e",
    "path": "click",
    "publisher": "42",
}


def written(preset: presets.Preset) -> list[tuple[EventKind, str]]:
    """The templates of a preset as a customer writes them by hand."""

    def value(match: re.Match[str]) -> str:
        return match[0] if match[1] in macros.MACROS else FILLED.get(match[1], "1")

    def with_words(mode: presets.Mode, kind: EventKind, url: str) -> str:
        for other, word in mode.statuses.items():
            url = url.replace(f"{{status_{other.value}}}", word)
        return url.replace("{status}", mode.statuses[kind])

    return [
        (kind, re.sub(r"\{([a-z_]+)\}", value, with_words(mode, kind, url)))
        for mode in preset.modes.values()
        for kind, url in mode.urls.items()
    ]


BY_HAND = pytest.mark.parametrize(
    "preset",
    [one for one in presets.presets().values() if one.method == "GET"],
    ids=lambda one: one.key,
)


@BY_HAND
def test_what_a_preset_writes_needs_no_advice(preset: presets.Preset):
    for kind, url in written(preset):
        assert template_warnings(kind, url) == []


@pytest.mark.parametrize(
    ("kind", "template", "word"),
    [
        (APPROVE, ATOP_KEITARO, "postback key"),
        (APPROVE, ATOP_BINOM, "click.php"),
        (WAIT, "https://b.example/click?cnv_id={click}", "cnv_status"),
        (APPROVE, "https://k.example/ab12/postback?subid={click}&reject_status=x", "rejected_"),
        (CANCEL, "https://f.example/pb/?hit={click}&tx={lead}", "rev=0"),
        (WAIT, "https://p.example/tracking202/static/gpb.php?subid={click}", "no statuses"),
        (WAIT, KEITARO + "status=zzz&sale_status=approve", "sale_status"),
        (CANCEL, KEITARO + "status={status}&lead_status=wait,hold&sale_status=approve", "'cancel'"),
        (WAIT, KEITARO + "status=zzz", "lead_status"),
        (WAIT, KEITARO + "status={status}", "'wait'"),
        (APPROVE, AFFISE + "status={status}", "1, 2, 3, 5"),
        (APPROVE, SCALEO + "conv_status=paid", "pending, approved"),
        (APPROVE, REDTRACK + "status=paid", "1, 2, 3, 5 or approved, pending"),
        (APPROVE, "https://s2s.tgtracker.io/?external_id={click}&event=sale", "reg, dep"),
        (APPROVE, ADSGRAM + "record={click}&goaltype=4", "1, 2, 3"),
        (APPROVE, "https://api.adsgram.ai/postback/common?type=sale&click_id={click}", "install"),
        (APPROVE, PRO + "click={click}&status=paid&auto=1", "hold, approve"),
        (APPROVE, AFFISE + "status=approved", "Affise"),
        (APPROVE, LITE + "status=zzz", "may not know the status 'zzz'"),
        (APPROVE, LITE.replace("tracker", "track") + "status=paid", "new, hold, approve"),
        (APPROVE, "https://t.example/?c={click}&s={subid}", "{subid} is no macro"),
        (APPROVE, "https://t.example/?c={click}&s=[SUB_ID]", "[SUB_ID] is no macro"),
        (APPROVE, "https://t.example/?c={click}&s=__SUBID__", "__SUBID__ is no macro"),
        (APPROVE, "https://t.example/?c={click}&s=%subid%", "%subid% is no macro"),
        (APPROVE, "https://t.example/?c={click}&s=<sub1>", "<sub1> is no macro"),
        (APPROVE, "https://t.example/?c={click}&s={status", "{status is no macro"),
        (APPROVE, "https://t.example/?c={click}#top", "#top is never sent"),
    ],
)
def test_a_template_known_to_be_wrong_is_told_so(kind: EventKind, template: str, word: str):
    (warning,) = template_warnings(kind, template)
    assert word in warning


@pytest.mark.parametrize(
    ("kind", "template"),
    [
        (APPROVE, ""),
        (CANCEL, ATOP_PRO),
        (APPROVE, "https://b.example/click?cnv_id={click}"),
        (APPROVE, "https://f.example/pb/?hit={click}"),
        (APPROVE, "https://a.example/postback?clickid={click}&goal=2&sum=1"),
        (APPROVE, "https://t.example/join/{subscriber}"),
        (WAIT, KEITARO + "status=zzz&sale_status=approve,zzz"),
        (WAIT, KEITARO + "status=lead&sale_status=approve"),
        (WAIT, LITE + "status={status}"),
        (APPROVE, LITE + "status=hold"),
        (APPROVE, LITE + "status=zzz&sta=paid,zzz"),
        (APPROVE, LITE),
        (WAIT, KEITARO + "status={status}&lead_status=wait,hold"),
        (APPROVE, KEITARO + "status=rebill"),
        (APPROVE, KEITARO + "status={username}"),
        (APPROVE, KEITARO + "payout=1"),
        (WAIT, BINOM + "cnv_status=anything"),
        (WAIT, CHATTERFY + "tracker.event=anything&clickid={click}"),
        (APPROVE, AFFISE + "status=1"),
    ],
)
def test_a_template_that_may_be_right_is_left_in_peace(kind: EventKind, template: str):
    assert template_warnings(kind, template) == []


def test_a_macro_in_foreign_marks_has_two_warnings_where_it_stands_for_the_click():
    first, second = template_warnings(APPROVE, "https://t.example/?c=[CLICK_ID]")
    assert "[CLICK_ID] is no macro" in first
    assert "without {click}" in second


def test_a_body_may_say_whose_event_it_is():
    body = read_beside('{"who": "{subscriber|number}"}')
    assert template_warnings(APPROVE, "https://t.example/", body) == []
    body = read_beside('{"who": "{subid}"}')
    (warning,) = template_warnings(APPROVE, "https://t.example/?c={click}", body)
    assert "{subid}" in warning


@given(st.sampled_from(list(EventKind)), st.text(max_size=80))
def test_whatever_stands_there_has_some_advice_or_none(kind: EventKind, text: str):
    for template in (text, f"https://t.example/{text}"):
        assert all(template_warnings(kind, template))
        presets_like(template)


def test_those_that_look_alike_are_named_together():
    (known,) = click_formats_of(
        "url_template", {"urls": {"wait": ATOP_KEITARO.replace("/p", "/ab12/p")}}
    )
    assert (known.title, known.macro) == ("Keitaro or Orbitra", "{subid}")
    assert known.problem("abc") == ""


def test_a_click_has_a_problem_only_if_it_has_one_with_all_that_look_alike():
    (known,) = click_formats_of(
        "url_template", {"urls": {"approve": "https://t.example/postback?clickid={click}&sum=1"}}
    )
    assert known.title == "Affise or RedTrack"
    assert known.presets[0].click.problem("abc")
    assert known.problem("abc") == ""


def test_a_destination_is_known_by_its_preset_or_adapter():
    (prosper,) = click_formats_of(
        "url_template", {"preset": "prosper202", "urls": {"wait": ATOP_PRO}}
    )
    assert "[[subid]]" in prosper.problem("abc")
    assert prosper.problem("12") == ""
    (altercpa,) = click_formats_of("altercpa_lite", {"domain": "a.example"})
    assert altercpa.macro == "{click}"
    assert click_formats_of("url_template", {"preset": "gone"}) == ()
    assert click_formats_of("webhook", {"urls": {"wait": ATOP_KEITARO}}) == ()
    (ton,) = click_formats_of("url_template", {"preset": "ton_ai"})
    assert ton.problem("anything.at all") == ""


def test_five_urls_of_one_tracker_are_one():
    urls = {kind.value: ATOP_PRO for kind in EventKind} | {"trash": ""}
    assert len(click_formats_of("url_template", {"urls": urls})) == 1
