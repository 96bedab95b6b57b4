"""Keys that customers write into URLs, headers and bodies."""

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.contract import MASK, mask
from plugins.kit import macros
from plugins.kit.secrets.typed import (
    MIN_SECRET,
    encodings,
    holds_secret,
    mask_address,
    mask_cut,
    secrets_of_fields,
    secrets_of_headers,
    secrets_of_url,
)
from plugins.testing import sample_event


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("https://k.example/0d6b0f1/postback?subid={click}", "0d6b0f1"),
        ("https://k.example/a1B2c3D4e5F6a7B8c9/pb", "a1B2c3D4e5F6a7B8c9"),
        ("https://k.example/postbacks/8f14e45f-ceea-467f-a0e6-b2b1c3d4e5f6/x", "8f14e45f-ceea"),
        ("https://a.example/api?id=42-abcdef99&click={click}", "42-abcdef99"),
        ("https://a.example/?token=s3cr%2Bet&c={click}", "s3cr%2Bet"),
        ("https://a.example/?c={click}&api_key=abcd", "abcd"),
        ("https://a.example/?access_token=abcd#f", "abcd"),
        ("https://a.example/?secure=ключ", "%D0%BA"),
    ],
)
def test_keys_written_into_a_url_are_masked(url: str, secret: str):
    filled = macros.fill_url(url, sample_event())
    assert secret in filled
    assert secret not in mask(filled, secrets_of_url(url))


@given(
    before=st.binary(max_size=5),
    key=st.text("abcdefghijklmnop-_0123456789", min_size=8, max_size=40),
    behind=st.binary(max_size=5),
)
def test_a_key_inside_of_what_a_tracker_encodes_is_masked(before, key, behind):
    secrets = tuple(encodings(key))
    whole = before + key.encode() + behind
    for encoded in (
        base64.b64encode(whole).decode(),
        base64.urlsafe_b64encode(whole).decode(),
        whole.hex(),
        whole.hex().upper(),
    ):
        masked = mask(encoded, secrets)
        assert MASK in masked
        longest = max(masked.split(MASK), key=len)
        assert len(longest) <= 2 * max(len(before), len(behind)) + 4


def test_ordinary_parameters_are_shown():
    url = "https://a.example/postback?id={click}&status={status}&pid=77&key={lead}"
    assert secrets_of_url(url) == ()


def test_the_id_in_an_altercpa_postback_is_a_key_whatever_it_looks_like():
    assert secrets_of_url("https://a.example/api/track/postback.json?id=x.y&click=1") == ("x.y",)
    assert secrets_of_url("https://a.example/api/track/postback.json?id={click}") == ()


def test_keys_among_fields_are_found_in_depth_and_without_their_scheme():
    fields = {"Authorization": "Bearer abcd", "title": "x", "data": {"api_key": "efgh"}}
    secrets = secrets_of_fields(fields)
    assert {"abcd", "YWJjZA", "efgh", "ZWZnaA"} <= set(secrets)
    assert mask("title of Bearer x", secrets) == "title of Bearer x"


def test_a_macro_or_a_number_is_no_typed_key():
    assert secrets_of_fields({"token": "{click}", "key": 5, "sign": "", "hash": "a{lead}"}) == ()


@given(st.text(st.characters(codec="utf-8"), min_size=MIN_SECRET))
def test_a_secret_is_masked_however_it_is_encoded(text: str):
    for shown in (text, quote(text, safe=""), quote_plus(text), json.dumps(text)[1:-1]):
        assert mask(shown, tuple(encodings(text))) == "***"


def test_every_text_inside_a_secret_value_is_encoded_but_for_the_shortest():
    assert list(encodings({"a": ["abcd", 12345], "b": "abc", "c": None})) == [
        *("abcd", "YWJjZA", "61626364"),
        *("12345", "MTIzNDU", "3132333435"),
    ]


#: Kinds of secret, each with the address that carries it.
SECRET = "Zq9-x/Z+w~7Яk&\"'"
TYPED = quote(SECRET, safe="")
NAMES = """token access_token accessToken api_key apiKey apikey key clientSecret secret
pwd password passwd pass pw auth authorization sig sign signature hash hmac jwt secure credential
cookie k code p custom x my_param s1 hook""".split()
KINDS = [f"https://t.example/pb?c={{click}}&{name}={TYPED}" for name in NAMES] + [
    f"https://t.example/{TYPED}/postback?c={{click}}",
    f"https://t.example/bot123:{TYPED}/sendMessage?text={{click}}",
    f"https://hooks.example/services/T00/B00/{TYPED}",
    f"https://t.example/hooks/{TYPED}?c={{click}}",
    f"https://t.example/pb?{TYPED}&c={{click}}",
    f"https://t.example/pb?status={TYPED}&c={{click}}",
    f"https://t.example/pb?meta={TYPED}{{click}}",
]
ENCODINGS = {
    "raw": str,
    "percent": lambda text: quote(text, safe=""),
    "double percent": lambda text: quote(quote(text, safe=""), safe=""),
    "JSON": lambda text: json.dumps(text)[1:-1],
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "HTML": html.escape,
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("template", KINDS)
def test_a_typed_key_is_masked_in_the_request_and_in_every_echo(template: str, encoding: str):
    secrets = secrets_of_url(template)
    filled = macros.fill_url(template, sample_event())
    assert TYPED not in mask(filled, secrets)
    echo = ENCODINGS[encoding](SECRET)
    if "bot123:" in template and encoding == "base64":
        echo = base64.b64encode(f"bot123:{SECRET}".encode()).decode()
    assert echo.rstrip("=") not in mask(f"no such key: {echo}!", secrets)


@pytest.mark.parametrize("name", ["X-Custom", "Authorization", "X-Title", "Api", "Cookie"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_header_is_masked_whatever_it_is_called(name: str, encoding: str):
    secrets = secrets_of_headers({name: SECRET, "Content-Type": "text/plain"})
    assert ENCODINGS[encoding](SECRET).rstrip("=") not in mask(ENCODINGS[encoding](SECRET), secrets)
    assert mask("text/plain", secrets) == "text/plain"


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    "value",
    [
        {"note": SECRET},
        {"note": {"deep": SECRET}},
        {"note": f"{SECRET}{{click}}"},
        {"note": f"Hello {SECRET} there"},
        {"status": f"approve {SECRET}"},
        {"note": f"https://t.example/hooks/{TYPED}"},
        {"accessToken": SECRET},
    ],
)
def test_a_value_of_a_body_is_masked_whatever_it_is_called(value, encoding: str):
    echo = ENCODINGS[encoding](SECRET)
    assert echo.rstrip("=") not in mask(f"you sent {echo}!", secrets_of_fields(value))


def test_a_long_number_in_a_body_is_masked_and_what_is_harmless_is_shown():
    fields = {"pin": 12345678, "status": "approve", "sum": "1.5", "c": "{click}", "n": 7}
    fields["text"] = "New lead: {username} (@{username}), 2 today!"
    secrets = secrets_of_fields(fields)
    assert {"12345678", "MTIzNDU2Nzg"} <= set(secrets)
    assert mask(json.dumps({**fields, "pin": 0}), secrets) == json.dumps({**fields, "pin": 0})


@pytest.mark.parametrize("length", range(MIN_SECRET, 30))
def test_the_head_of_a_secret_that_was_cut_is_masked_too(length: int):
    secret = "abcdefghijklmnopqrstuvwxyz0123"
    shown = mask_cut(f"no such key: {secret[:length]}", (secret,))
    assert shown.endswith("***") is (length >= 8)
    assert mask_cut(f"a {secret} b", (secret,)) == "a *** b"


@given(st.text(alphabet="ab*", max_size=30), st.text(alphabet="ab*", min_size=MIN_SECRET))
def test_masking_of_what_was_cut_ends_with_no_secret_left(text: str, secret: str):
    shown = mask_cut(text, (secret,))
    assert secret.strip("*") == "" or secret not in shown


_word = st.text("aZ7-+%/2B é", max_size=9)
_field = st.one_of(_word, st.integers(0, 10**9), st.booleans(), st.none(), st.just("Bearer abcd"))
_segment = st.text("aZ7-+%2B.é", max_size=9)


@given(st.dictionaries(st.sampled_from(["key", "status", "name", "x"]), _field, max_size=3))
def test_whether_a_body_holds_a_secret_is_known_without_spelling_it_out(fields):
    assert holds_secret(fields) is bool(secrets_of_fields(fields))


@given(st.lists(_segment, max_size=4), st.lists(st.tuples(_segment, _segment), max_size=4))
def test_its_owner_is_shown_no_more_of_an_address_than_everybody_else(path, query):
    address = "https://t.example/" + "/".join(path) + "?"
    address += "&".join(f"{name}={value}" for name, value in query)
    assert mask_address(address) == mask(address, secrets_of_url(address))
