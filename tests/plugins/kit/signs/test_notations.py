"""Whoever writes a macro as another system does is understood; who writes something else is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.kit.macros import KNOWN
from plugins.kit.signs.notations import filled_in, find, is_macro, latin

#: How `click` is written elsewhere. A sure one is no plain word in brackets.
SURE = (
    "{{click}} {{{click}}} {{click} {click}} ${click} ${{click}} %{click} {$click} {click|x} "
    "{click|upper|x:1} {%click%} {{=click}} $(click) $[click] <%=click%> <?=$click?> *|click|* "
    "%7Bclick%7D %7b%7bclick%7d%7d %257Bclick%257D %25257Bclick%25257D %24%7Bclick%7D {click%7D "
    "{сlick} {ｃｌｉｃｋ} {clíck} {%D1%81lick} {+click+} {%20click%20}"  # noqa: RUF001
).split()
SPACED = ["{ click }", "{% click %}", "<%= click %>", "{click }"]
DOUBTED = (
    "[click] [[click]] [%click%] <click> __click__ __CLICK__ %click% %%CLICK%% #click# ##click## "
    "@click@ @@click@@ $click $CLICK $click$ :click {click click} %5Bclick%5D [сlick] %23click%23"  # noqa: RUF001
).split()
FOREIGN = (
    *"{click_id} {1} {имя} {first+name} {subid1} {{subid}} {x.y} {Hi|Hello} *|FNAME|*".split(),
    *("{first name}", "{click id}"),
)
NOTHING = (
    *("", "100%, 50% off", "price $5, CO$T, $USD, A$AP", "a@b.c @anna @{username}", "#joy #luck"),
    *("https://e.com:8080/a:b?c=12:30&$filter=x&d=%24b", "https://u@e.com/", "{}", "{ }", "{{}}"),
    *('{"a": 1, "b": {"c": "{click}"}}', "%7B%22a%22%3A%22x%22%7D", "f(x){return 1;}", "{x, y}"),
    *("{one two three four}", "{Hello, {username}!}", "[{username}](u)", "[go](u)", "__init__"),
    *("https://e.com/?meta[click]=1", "https://e.com/?meta%5Bclick%5D=1", "%20click%20", ":) :-}"),
    *("https://e.com/#{click}", "at 5:user's", ":user:", "@user@example.org", "#status#joy"),
    *("%D0%BAclick%D0%BA", "<b>bold</b>", "[Status] <User>", "{click} {event_id} {lead|number}"),
)


@pytest.mark.parametrize("spelled", [*SURE, *SPACED])
@pytest.mark.parametrize(
    "text", ["{}", "https://t.example/pb?c={}", "https://t.example/?c={}&s=1#top"]
)
def test_our_macro_in_the_notation_of_another_is_named(spelled, text):
    (macro,) = find(text.replace("{}", spelled))
    assert (macro.spelled, macro.ours, macro.is_sure) == (spelled, "click", True)


@pytest.mark.parametrize("spelled", DOUBTED)
@pytest.mark.parametrize("text", ["{}", "https://t.example/pb?c={}", "Hello {} and more"])
def test_marks_that_are_also_plain_are_doubted(spelled, text):
    if "}" in spelled and text.startswith("Hello"):
        text = "Hello {}"
    (macro,) = find(text.replace("{}", spelled))
    assert (macro.spelled, latin(macro.name).lower(), macro.is_sure) == (spelled, "click", False)


@pytest.mark.parametrize("spelled", FOREIGN)
@pytest.mark.parametrize("text", ["{}", "https://t.example/pb?c={}", "Hello {}, well"])
def test_a_macro_that_is_none_of_ours_is_found(spelled, text):
    (macro,) = find(text.replace("{}", spelled))
    assert (macro.spelled, macro.ours) == (spelled, "")


@pytest.mark.parametrize("text", NOTHING)
def test_what_is_no_macro_is_left_in_peace(text):
    assert find(text) == []


@pytest.mark.parametrize("name", KNOWN)
def test_ours_as_they_are_written_are_right(name):
    assert find(f"https://t.example/{{{name}}}?a={{{name}}}") == []
    foreign = find(f"a={{{{{name}}}}}&b=%7B{name}%7D")
    assert [macro.ours for macro in foreign] == [name, name]


@pytest.mark.parametrize(
    "value",
    "{click} {subid} {1} {{subid}} {{{x}}} ${SUBID} [subid] [[subid]] __CLICKID__ %%CLICK%% "
    "%click% #subid# @@x@@ <x> *|X|* $(x)".split(),
)
def test_a_value_that_is_all_macro_is_one(value):
    assert is_macro(value)
    assert not is_macro(f"{value}a")
    assert not is_macro(f"a {value}")


@pytest.mark.parametrize(
    "value",
    ["", "abc", "a-B_9", "{}", "{a b}", "{a", "a}", "{{a}", "%00", "$x", ":x", "{я}", "[1]"],
)
def test_anything_else_is_a_value(value):
    assert not is_macro(value)


@pytest.mark.parametrize(
    ("value", "filled"),
    [
        ("{subid}", "x"),
        ("[anything]", "x"),
        ("kt-{subid}", "kt-x"),
        ("{a}_{{b}}-${C}", "x_x-x"),
        ("a[click]b", "axb"),
        ("a__click__b", "a__click__b"),
        ("a-[click]", "a-x"),
        ("a-[b]", "a-[b]"),
        ("a%click%", "ax"),
        ("a%bc%", "a%bc%"),
        ("a-{b", "a-{b"),
        ("a {b}", "a {b}"),
        ("{}", "{}"),
        ("a-B_9", "a-B_9"),
        ("", ""),
    ],
)
def test_macros_are_filled_in_wherever_they_stand(value, filled):
    assert filled_in(value, "x") == filled


@pytest.mark.parametrize(
    ("name", "plain"),
    [("\u0441li\u0441k", "click"), ("\uff4c\uff45ad", "lead"), ("cl\u00edck", "click")],
)
def test_letters_that_look_alike_are_read_as_latin_ones(name, plain):
    assert latin(name) == plain


@given(st.text("{}[]<>%$#@:_|*& =/clik123\u0441", max_size=40))
def test_any_text_is_read_and_what_is_found_stands_in_it(text):
    for macro in find(text):
        assert macro.spelled in text
