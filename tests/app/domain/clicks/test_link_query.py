from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.clicks.link_query import MAX_QUERY, LinkQuery, QueryFlag, read

FBCLID = "IwAR2xY-_9%zZ"


def of(sub_map: dict[str, str] | None = None, /, **params: str) -> LinkQuery:
    return read(urlencode(params).encode(), "cid", sub_map or {})


def test_known_parameters_are_sorted_into_their_places() -> None:
    query = of(
        cid="c-1", fbclid=FBCLID, ScCid="S1", _ym_uid="17", _ga="GA1.1.5.6",
        utm_source="fb", utm_term="a b",
        sub1="one", sub_id_2="two", ad_id="9", placement="feed", other="?",
    )  # fmt: skip
    assert query == LinkQuery(
        "c-1",
        ids={"fbclid": FBCLID, "sccid": "S1", "ym_uid": "17", "ga": "GA1.1.5.6"},
        utm={"source": "fb", "term": "a b"},
        subs={"sub1": "one", "sub2": "two"},
        ad={"ad_id": "9", "placement": "feed"},
    )


def test_what_a_click_cost_is_kept_as_it_came() -> None:
    assert of(cost="0.0450", currency="usd").ad == {"cost": "0.0450", "currency": "usd"}
    assert of(cost="{cost}").ad == {}


def test_only_an_id_of_one_press_tells_presses_apart() -> None:
    assert of(ttclid="t", fbclid=FBCLID).press_id == FBCLID
    assert of(gbraid="g", wbraid="w", cid="c", fbp="fb.1.1.1").press_id == ""


def test_other_names_are_kept_only_if_the_source_names_them() -> None:
    assert of({"creative": "sub3"}, creative="red", colour="blue").subs == {"sub3": "red"}


def test_the_click_parameter_may_be_a_sub_as_well() -> None:
    query = read(b"sub1=c-1", "sub1", {})
    assert (query.external, query.subs) == ("c-1", {"sub1": "c-1"})


@pytest.mark.parametrize("value", ["MiXeD", " a ", "a%2541", "a+b", "é", "%", "a=b"])
def test_a_value_is_kept_to_the_letter_and_decoded_once(value: str) -> None:
    query = of(cid=value, fbclid=value)
    assert (query.external, query.ids["fbclid"]) == (value, value)


@pytest.mark.parametrize("macro", ["{click}", "{{ad.id}}", "__CLICKID__", "[CLICK]"])
def test_a_macro_that_nobody_replaced_is_empty_and_noticed(macro: str) -> None:
    query = of(cid=macro, ad_id=macro)
    assert (query.external, query.ad, query.flags) == ("", {}, QueryFlag.UNREPLACED)


def test_of_two_values_the_first_one_counts() -> None:
    assert read(b"cid=a&cid=b&sub1=&sub1=x", "cid", {}).external == "a"


@pytest.mark.parametrize(
    ("name", "longest"), [("cid", 256), ("fbclid", 512), ("utm_source", 256), ("sub1", 256)]
)
def test_a_value_that_is_too_long_is_dropped_and_noticed(name: str, longest: int) -> None:
    fits, long = of(**{name: "x" * longest}), of(**{name: "x" * (longest + 1)})
    assert (fits.flags, long.flags) == (QueryFlag(0), QueryFlag.CUT)
    assert long == LinkQuery(flags=QueryFlag.CUT)


def test_of_a_query_over_4_kb_the_whole_parameters_before_the_end_are_read() -> None:
    query = read(b"cid=c-1&utm_source=" + b"x" * MAX_QUERY, "cid", {})
    assert (query.external, query.utm, query.flags) == ("c-1", {}, QueryFlag.CUT)


def test_parameters_beyond_the_two_hundredth_are_not_read() -> None:
    query = read(b"a=1&" * 200 + b"cid=c-1", "cid", {})
    assert (query.external, query.flags) == ("", QueryFlag.CUT)


@given(st.binary(max_size=6000))
def test_any_query_is_read(query: bytes) -> None:
    found = read(query, "cid", {"x": "sub1"})
    texts = [found.external, *found.ids.values(), *found.utm.values(), *found.subs.values()]
    for text in texts:
        assert "\x00" not in text
        text.encode()
        assert len(text) <= 512
