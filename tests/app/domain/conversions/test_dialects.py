"""Common senders' names are read; a macro that nobody replaced is nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.conversions import dialects
from app.domain.conversions.report import InvalidReport, Report
from plugins.contract import ConversionKind


def test_chatterfys_names_are_read():
    assert dialects.read(
        {
            "tracker.event": "sale",
            "tracker.cost": "5.25",
            "tracker.currency": "usd",
            "tracker.tid": "77",
            "clickid": "c-1",
        }
    ) == Report(ConversionKind.PURCHASE, "sale", 5_250_000, "USD", click="c-1", tid="77")


def test_keitaros_names_are_read():
    read = dialects.read({"subid": "c-1", "status": "lead", "payout": "0", "tid": "9"}, "EUR")
    assert read == Report(ConversionKind.REGISTER, "lead", 0, "EUR", click="c-1", tid="9")


def test_our_own_name_wins_over_a_dialects():
    assert dialects.read({"event": "reg", "click": "a", "subid": "b"}).click == "a"
    assert dialects.read({"event": "reg", "click": "", "subid": "b"}).click == "b"


@pytest.mark.parametrize("macro", ["{subid}", "{{click_id}}", "__CLICK__", "[CLICK]"])
def test_a_macro_that_nobody_replaced_is_nothing(macro):
    with pytest.raises(InvalidReport, match=r"^click: "):
        dialects.read({"event": "reg", "click": macro})
    assert dialects.read({"event": "reg", "click": "c", "tid": macro}).tid == ""


@given(
    st.dictionaries(
        st.sampled_from([name for names in dialects.NAMES.values() for name in names]),
        st.text(max_size=50),
    )
)
def test_whatever_comes_is_read_or_refused_by_the_name_of_a_field(params):
    try:
        report = dialects.read(params)
    except InvalidReport as error:
        assert error.field in dialects.NAMES  # noqa: PT017
    else:
        assert report.click or report.lead or report.subscriber or report.tid
