"""fbc and fbp as Meta takes them: kept to the letter, built from an fbclid, never cut."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.kit.platforms.meta_ids import fbc_of, is_fbc, is_fbp, newer_fbc

NOW = 1_790_000_000_000
FBCLIDS = st.text("ABCxyz019_-", min_size=1, max_size=200)
MADE = st.integers(10**12, 10**13 - 1)


@pytest.mark.parametrize(
    ("fbc", "good"),
    [
        (f"fb.1.{NOW}.IwAR2_x-Y", True),
        (f"fb.0.{NOW}.a", True),
        (f"fb.2.{NOW}.a", True),
        (f"fb.3.{NOW}.a", False),
        (f"fb.1.{NOW // 1000}.a", False),
        (f"fb.1.{NOW}.", False),
        (f"fb.1.{NOW}.a.b", False),
        (f"fb.1.{NOW}.a%3D", False),
        (f" fb.1.{NOW}.a", False),
        (f"fb.1.{NOW}.a\n", False),
        ("fb.1.١٢٣٤٥٦٧٨٩٠١٢٣.a", False),
        (f"fb.1.{NOW}." + "x" * 600, False),
        ("", False),
    ],
)
def test_an_fbc_is_of_the_form_that_meta_takes(fbc, good):
    assert is_fbc(fbc) is good


@pytest.mark.parametrize(
    ("fbp", "good"),
    [
        (f"fb.1.{NOW}.1234567890", True),
        (f"fb.1.{NOW}.{'1' * 20}", True),
        (f"fb.1.{NOW}.{'1' * 21}", False),
        (f"fb.1.{NOW}.abc", False),
        (f"fb.1.{NOW}", False),
        ("", False),
    ],
)
def test_an_fbp_is_of_the_form_that_meta_takes(fbp, good):
    assert is_fbp(fbp) is good


@given(FBCLIDS, MADE)
def test_without_an_fbc_of_the_page_one_is_built_from_the_fbclid_to_the_letter(fbclid, clicked):
    assert fbc_of("", fbclid, clicked) == f"fb.1.{clicked}.{fbclid}"


@given(FBCLIDS, MADE, MADE)
def test_the_pages_own_fbc_stays_for_the_same_fbclid_or_none(fbclid, made, clicked):
    own = f"fb.1.{made}.{fbclid}"
    assert fbc_of(own, fbclid, clicked) == own
    assert fbc_of(own, "", clicked) == own


@given(FBCLIDS, FBCLIDS, MADE, MADE)
def test_a_newer_and_different_fbclid_builds_anew(old, new, made, clicked):
    own = f"fb.1.{made}.{old}"
    is_anew = new != old and made <= clicked
    assert fbc_of(own, new, clicked) == (f"fb.1.{clicked}.{new}" if is_anew else own)


@given(st.text(), st.text(), MADE)
def test_whatever_comes_in_what_goes_out_is_valid_or_nothing(fbc, fbclid, clicked):
    built = fbc_of(fbc, fbclid, clicked)
    assert built == "" or is_fbc(built)


def test_an_fbclid_that_is_too_long_is_dropped_and_never_cut():
    assert fbc_of("", "x" * 600, NOW) == ""
    own = f"fb.1.{NOW}.a"
    assert fbc_of(own, "x" * 600, NOW + 1) == own


def test_of_two_fbc_the_later_one_counts():
    older, newer = f"fb.1.{NOW}.a", f"fb.1.{NOW + 1}.b"
    assert newer_fbc(older, newer) == newer_fbc(newer, older) == newer
    assert newer_fbc("", older) == newer_fbc(older, "") == newer_fbc(older, "odd") == older
    assert re.fullmatch(r"fb\.1\.\d{13}\.a", newer_fbc(older, f"fb.1.{NOW}.c"))
