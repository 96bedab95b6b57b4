"""Legacy Markdown is read as Telegram reads it, whatever the macros stand for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.markdown import (
    Run,
    Style,
    Unparsable,
    fill,
    formatted,
    parse,
    utf16_length,
)
from bench.markdown import Tdlib, differs, generated, ours

MACROS = ("{click}", "{event_id}")


def is_macro(atom: str) -> bool:
    return atom in MACROS


def text_and_entities(markdown: str, limit: int = 4096):
    return formatted(parse(markdown, is_macro), limit)


@pytest.mark.parametrize(
    ("markdown", "text", "entities"),
    [
        ("plain", "plain", []),
        ("*b*", "b", [("bold", 0, 1)]),
        ("a _i_", "a i", [("italic", 2, 1)]),
        ("`c`", "c", [("code", 0, 1)]),
        ("*a**b*", "ab", [("bold", 0, 1), ("bold", 1, 1)]),
        ("**", "", []),
        ("😀*😀*", "😀😀", [("bold", 2, 2)]),
        (r"\*a\* \a", r"*a* \a", []),
        ("[](http://a.b)", "(http://a.b)", []),
        ("```\nx```", "x", [("pre", 0, 1)]),
        ("```\r\n\nx```", "\nx", [("pre", 0, 2)]),
        ("```py```", "py", [("pre", 0, 2)]),
    ],
)
def test_marks_become_entities_in_utf16_units(markdown, text, entities):
    result = text_and_entities(markdown)
    shown = [(entity["type"], entity["offset"], entity["length"]) for entity in result.entities]
    assert (result.text, shown) == (text, entities)


@pytest.mark.parametrize(
    ("markdown", "entity"),
    [
        ("[t](http://a.b/c_d)", {"type": "text_link", "url": "http://a.b/c_d"}),
        ("[http://a.b]", {"type": "text_link", "url": "http://a.b"}),
        ("[t](http://a.b", {"type": "text_link", "url": "http://a.b"}),
        ("[t](tg://user?id=42)", {"type": "text_mention", "user": {"id": 42}}),
        ("```py\nx```", {"type": "pre", "language": "py"}),
    ],
)
def test_links_mentions_and_languages_are_named(markdown, entity):
    [found] = text_and_entities(markdown).entities
    assert {name: found[name] for name in entity} == entity


@pytest.mark.parametrize(
    ("markdown", "offset"), [("_a", 0), ("я*b", 2), (r"*a\*b*", 5), ("````", 0), ("{click}_", 7)]
)
def test_an_entity_without_an_end_is_refused_with_its_byte(markdown, offset):
    with pytest.raises(Unparsable) as caught:
        parse(markdown, is_macro)
    assert caught.value.offset == offset


def test_the_underscore_of_a_macro_marks_nothing():
    assert parse("{event_id} _i_", is_macro) == (Run("{event_id} "), Run("i", Style.ITALIC))
    with pytest.raises(Unparsable):
        parse("{first_name}", is_macro)


@given(st.text(), st.text())
def test_a_value_is_never_read_as_a_mark(name, click):
    runs = parse("*Hi {click}* [{click}](https://a.example/?c={click})", is_macro)
    filled = fill(
        runs, lambda text: text.replace("{click}", name), lambda url: url.replace("{click}", click)
    )
    result = formatted(filled, 1_000_000)
    assert result.text == f"Hi {name} {name}"
    bold = result.entities[0]
    assert (bold["offset"], bold["length"]) == (0, 3 + utf16_length(name))
    links = [entity["url"] for entity in result.entities if entity["type"] == "text_link"]
    assert links == ([f"https://a.example/?c={click}"] if name else [])


@given(st.text(alphabet="ab😀*_", max_size=60), st.integers(0, 40))
def test_a_cut_keeps_the_beginning_and_cuts_entities_with_it(markdown, limit):
    try:
        runs = parse(markdown)
    except Unparsable:
        return
    whole, cut = formatted(runs, 1_000_000), formatted(runs, limit)
    assert whole.text.startswith(cut.text)
    assert utf16_length(cut.text) <= limit
    assert limit - utf16_length(cut.text) <= 1 or cut == whole
    for entity in cut.entities:
        assert entity["length"] > 0
        assert entity["offset"] + entity["length"] <= utf16_length(cut.text)


def test_tdlib_reads_a_hundred_thousand_generated_texts_the_same():
    tdlib = Tdlib()
    texts = [*generated(100_000, seed=7)]
    assert len(texts) == 100_000
    assert [text for text in texts if differs(tdlib.parse(text), ours(text))] == []
