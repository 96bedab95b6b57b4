"""What a report says, checked and in one form."""

import pytest

from app.domain.conversions.report import (
    InvalidReport,
    Report,
    decimal_text,
    read_currency,
    read_kind,
    read_other_value,
    read_time,
    read_value,
)
from plugins.contract import ConversionKind

PURCHASE, REFUND = ConversionKind.PURCHASE, ConversionKind.REFUND


@pytest.mark.parametrize(
    ("word", "kind", "name"),
    [
        ("purchase", PURCHASE, ""),
        ("Deposit", PURCHASE, "Deposit"),
        ("resale", PURCHASE, "resale"),
        ("registration", ConversionKind.REGISTER, "registration"),
        ("WITHDRAWAL", REFUND, "WITHDRAWAL"),
        ("level 5", ConversionKind.CUSTOM, "level 5"),
    ],
)
def test_a_senders_word_gives_the_kind_and_stays_as_the_name(word, kind, name):
    assert read_kind(word) == (kind, name)


def test_a_custom_event_has_a_name_of_its_own():
    assert read_kind("custom", "level 5") == (ConversionKind.CUSTOM, "level 5")
    with pytest.raises(InvalidReport, match=r"^name: "):
        read_kind("custom")


@pytest.mark.parametrize("word", ["", "  ", "x" * 41])
def test_an_event_without_a_usable_word_is_refused(word):
    with pytest.raises(InvalidReport, match=r"^event: "):
        read_kind(word)


@pytest.mark.parametrize(
    ("text", "kind", "read"),
    [
        ("49.5", PURCHASE, (PURCHASE, 49_500_000)),
        ("-2", PURCHASE, (REFUND, -2_000_000)),
        ("2", REFUND, (REFUND, -2_000_000)),
        ("-2", REFUND, (REFUND, -2_000_000)),
        ("0", PURCHASE, (PURCHASE, 0)),
        ("", PURCHASE, (PURCHASE, None)),
        ("-1.5", ConversionKind.CUSTOM, (ConversionKind.CUSTOM, -1_500_000)),
        ("0.000001", PURCHASE, (PURCHASE, 1)),
    ],
)
def test_money_that_goes_back_is_a_refund_below_zero(text, kind, read):
    assert read_value(text, kind) == read


@pytest.mark.parametrize("text", ["1,5", "1e3", "inf", "nan", "0.0000001", "1" * 13, "٣", "$5"])
def test_what_is_no_plain_decimal_number_is_refused(text):
    with pytest.raises(InvalidReport, match=r"^value: "):
        read_value(text, PURCHASE)


def test_a_value_has_a_currency_and_no_value_has_none():
    assert read_currency("usd", "", 5) == "USD"
    assert read_currency("", "EUR", 5) == "EUR"
    assert read_currency("USD", "", None) == ""
    with pytest.raises(InvalidReport, match="is required"):
        read_currency("", "", 5)
    for text in ("USDT", "u\u017fd", "\u0131sd"):  # in upper case the last two are ASCII
        with pytest.raises(InvalidReport, match="three letters"):
            read_currency(text, "", 5)


def test_a_value_that_comes_later_changes_no_kind():
    assert read_other_value("5", PURCHASE) == 5_000_000
    assert read_other_value("5", ConversionKind.REFUND) == -5_000_000
    assert read_other_value("-5", ConversionKind.CUSTOM) == -5_000_000
    with pytest.raises(InvalidReport, match=r"^value: is below zero"):
        read_other_value("-5", PURCHASE)


def test_seconds_and_milliseconds_are_told_apart_by_their_size():
    assert read_time("1700000000") == read_time("1700000000999") == 1_700_000_000
    assert read_time("") is None
    with pytest.raises(InvalidReport):
        read_time("-5")


def test_equal_events_without_an_id_have_the_same_derived_one():
    one = Report(PURCHASE, value_micro=5, currency="USD", click="c-1")
    assert one.own_tid == Report(PURCHASE, value_micro=5, currency="USD", click="c-1").own_tid
    assert one.own_tid != Report(PURCHASE, value_micro=6, currency="USD", click="c-1").own_tid
    assert Report(PURCHASE, tid="t1").own_tid == "t1"
    assert len(one.own_tid) <= 128


def test_only_registrations_come_once_without_an_id():
    assert Report(PURCHASE, click="c").lacks_tid
    assert not Report(ConversionKind.REGISTER, click="c").lacks_tid
    assert not Report(PURCHASE, click="c", tid="t").lacks_tid


@pytest.mark.parametrize(
    ("micro", "text"),
    [(49_500_000, "49.5"), (-1, "-0.000001"), (0, "0"), (100_000_000, "100"), (None, "")],
)
def test_a_value_is_shown_without_needless_zeros(micro, text):
    assert decimal_text(micro) == text
