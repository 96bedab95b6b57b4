"""Whichever characters a text escapes, a key in it is masked and the rest stays."""

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.kit.secrets.escapes import mask_hidden
from plugins.kit.secrets.typed import encodings, mask_cut

KEY = "Zq7!k~(Wx)*3/p+R'8vЯ&L\U0001f511m"


def script(text: str) -> str:
    """`encodeURIComponent`."""
    return quote(text, safe="!'()*~")


def units(text: str) -> str:
    """JSON of which every character is escaped."""
    raw = text.encode("utf-16-be")
    return "".join(f"\\u{raw[at : at + 2].hex()}" for at in range(0, len(raw), 2))


SPELLINGS: dict[str, Callable[[str], str]] = {
    "encodeURIComponent": script,
    "encodeURI": lambda text: quote(text, safe="!'()*~;,/?:@&=+$#"),
    "Java": lambda text: quote(text, safe="*").replace("~", "%7E"),
    "old PHP": lambda text: quote(text, safe="").replace("~", "%7E"),
    "every byte": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "twice": lambda text: script(script(text)),
    "thrice": lambda text: script(script(script(text))),
    "JSON, every character": units,
    "JSON of PHP": lambda text: (
        json.dumps(text)[1:-1].replace("'", "\\u0027").replace("&", "\\u0026").replace("/", "\\/")
    ),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1],
    "HTML in decimal": lambda text: "".join(f"&#{ord(one)};" for one in text),
    "HTML in hexadecimal": lambda text: "".join(f"&#x{ord(one):X};" for one in text),
    "HTML without semicolons": lambda text: "".join(f"&#{ord(one)}" for one in text),
    "HTML in hexadecimal without semicolons": lambda text: "".join(
        f"&#x{ord(one):06X}" for one in text
    ),
    "HTML with zeros": lambda text: "".join(f"&#{ord(one):012};" for one in text),
    "HTML of PHP": lambda text: html.escape(text).replace("&#x27;", "&#039;"),
    "HTML of XML": lambda text: html.escape(text).replace("&#x27;", "&apos;"),
    "a URL in HTML": lambda text: html.escape(script(text)),
    "HTML in JSON": lambda text: json.dumps(html.escape(text))[1:-1],
    "broken in lines": lambda text: "\r\n".join((text[:9], text[9:])),
    "with marks that nobody sees": "\u200b".join,
    "with signs that nobody sees": "\u2061\ufe0f\u034f\U000e0020".join,
    "with NUL": "\0".join,
}


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
def test_a_key_is_masked_however_a_text_spells_it(spell: Callable[[str], str]):
    shown = mask_cut(f"no key {spell(KEY)} here, 100% \\u00e9 &amp; so", tuple(encodings(KEY)))
    assert shown == "no key *** here, 100% \\u00e9 &amp; so"


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
def test_the_head_of_a_key_is_masked_however_a_text_spells_it(spell: Callable[[str], str]):
    shown = mask_cut(f"no key {spell(KEY[:14])}", tuple(encodings(KEY)))
    assert shown == "no key ***"


def test_base64_in_lines_is_masked():
    text = base64.encodebytes(f"what stands before it, and then {KEY} and then more".encode())
    whole = text.decode().replace("\n", "")
    shown = mask_cut(text.decode(), tuple(encodings(KEY)))
    (hidden,) = (part for part in encodings(KEY) if part in whole and len(part) > 20)
    assert hidden[:8] not in shown
    assert hidden[-8:] not in shown.replace("\n", "")


def test_bytes_that_are_no_text_are_read_one_by_one():
    assert mask_hidden("a=%FFkey-1234%E4", ("key-1234",)) == "a=%FF***%E4"
    assert mask_hidden("a=%ff%6B%65%79-1234", ("key-1234",)) == "a=%ff***"


def test_what_looks_like_an_entity_and_is_none_is_left():
    assert mask_hidden("&nothing; &#0; key-&#49;234", ("key-1234",)) == "&nothing; &#0; ***"


def test_two_keys_that_overlap_leave_nothing():
    assert mask_hidden("%61bcdefgh", ("abcdef", "cdefgh")) == "***"


def test_a_text_without_escapes_is_masked_and_one_without_secrets_or_with_short_ones_is_left():
    assert mask_hidden("key-1234", ("key-1234",)) == "***"
    assert mask_hidden("%6Bey-1234", ()) == "%6Bey-1234"
    assert mask_hidden("%6B-1", ("k-1",)) == "%6B-1"


@given(
    st.text(st.characters(codec="utf-8"), min_size=4, max_size=12),
    st.lists(st.sampled_from([str, *SPELLINGS.values()]), min_size=1, max_size=2),
    st.text("%\\u&#;x0a9 ", max_size=20),
)
def test_nothing_raises_whatever_the_text_is(secret, spell, noise):
    text = secret
    for one in spell:
        text = one(text)
    mask_cut(noise + text + noise, tuple(encodings(secret)))
