"""Secrets of settings go in and do not come out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadParameter
from app.services.trackers.stored_secrets import merge_secrets, redacted, require_same_hosts
from plugins.kit.secrets import typed
from plugins.registry import Registry

SECRETS = ("key", "tokens")
_leaf = st.one_of(st.none(), st.booleans(), st.integers(), st.text("abc", max_size=4))
_name = st.sampled_from(["key", "tokens", "token", "X-Api-Key", "url", "name", "Cookie"])
_inside = st.recursive(
    _leaf, lambda child: st.lists(child, max_size=3) | st.dictionaries(_name, child, max_size=3)
)
_settings = st.dictionaries(_name, _inside, max_size=5)


@given(_settings)
def test_what_is_shown_and_sent_back_is_what_was_stored(stored):
    assert merge_secrets(redacted(stored, SECRETS), stored, SECRETS) == stored


@given(_settings)
def test_no_secret_field_is_shown(stored):
    shown = redacted(stored, SECRETS)
    assert list(shown) == list(stored)
    assert all(shown[name] in ("***", None, "", [], {}) for name in SECRETS if name in stored)


@pytest.mark.parametrize("name", ["token", "X-Api-Key", "Authorization", "Cookie", "api_key"])
def test_the_name_of_an_entry_gives_a_secret_away(name):
    assert redacted({"headers": {name: "abc"}}, ()) == {"headers": {name: "***"}}


@pytest.mark.parametrize("name", ["click", "monkeys", "X-Title", "keyword", "hashtag"])
def test_ordinary_entries_are_shown(name):
    assert redacted({"payload": {name: "abc"}}, ()) == {"payload": {name: "abc"}}


@pytest.mark.parametrize("name", ["X-Title", "X-Custom", "click"])
def test_a_header_is_shown_only_where_no_key_ever_stands_in_it(name):
    headers = {name: "abc", "Content-Type": "text/plain"}
    assert redacted({"headers": headers}, ()) == {"headers": {**headers, name: "***"}}


def test_settings_are_shown_without_spelling_their_secrets_out(monkeypatch):
    """That takes some dozen texts for each word, and a list shows ten megabytes of words."""
    monkeypatch.setattr(typed, "_spellings", None)
    monkeypatch.setattr(typed, "secrets_of_url", None)
    settings = {
        "urls": {"wait": "https://t.example/k3y9/postback?sub={click}&token=s%2Be1cret"},
        "payload": {
            "a": "x7y8z9",
            "b": "https://t.example/x7y8z9",
            "c": {"d": "sale"},
            "f": 12345678,
        },
    }
    assert redacted(settings, ()) == {
        "urls": {"wait": "https://t.example/***/postback?sub={click}&token=***"},
        "payload": {"a": "***", "b": "***", "c": {"d": "sale"}, "f": "***"},
    }


def test_an_address_whose_path_is_the_secret_is_masked():
    told = redacted({"url": "https://hooks.example/hooks/T0/letmein-please?a=1"}, ())
    assert "letmein" not in told["url"]
    assert told["url"].startswith("https://hooks.example/hooks/")


def test_a_secret_that_is_absent_stays_and_another_value_replaces_it():
    stored = {"key": "old", "name": "x"}
    assert merge_secrets({"name": "y"}, stored, SECRETS) == {"key": "old", "name": "y"}
    assert merge_secrets({"key": "new"}, stored, SECRETS) == {"key": "new"}


@pytest.mark.parametrize(
    ("given_", "field"),
    [({"key": "***"}, "settings.key"), ({"a": {"token": "***"}}, "settings.a.token")],
)
def test_a_mask_without_a_secret_behind_it_is_refused(given_, field):
    with pytest.raises(BadParameter) as caught:
        merge_secrets(given_, {}, SECRETS)
    assert caught.value.extra["field"] == field


def test_keys_in_an_address_are_masked_and_come_back_only_with_the_same_address():
    url = "https://t.example/pb?token=s3cr3t-t0ken&click={click}"
    stored = {"urls": {"wait": url}}
    shown = redacted(stored, ())
    assert shown["urls"]["wait"] == "https://t.example/pb?token=***&click={click}"
    assert merge_secrets(shown, stored, ()) == stored
    moved = {"urls": {"wait": "https://thief.example/pb?token=***&click={click}"}}
    with pytest.raises(BadParameter):
        merge_secrets(moved, stored, ())


def test_an_address_that_cannot_be_read_is_hidden_whole_and_comes_back():
    stored = {"urls": {"wait": "https://a..b/pb?token=s3cr3t-t0ken"}}
    shown = redacted(stored, ())
    assert shown == {"urls": {"wait": "***"}}
    assert merge_secrets(shown, stored, ()) == stored


def test_settings_stored_before_their_host_was_refused_can_be_mended_with_the_secrets_typed_again():
    adapter = Registry.load().get("url_template")
    old, new = ({"urls": {"approve": f"https://{host}/"}} for host in ("a..b", "t.example"))
    with pytest.raises(BadParameter) as caught:
        require_same_hosts(adapter, old, new)
    assert caught.value.extra["field"] == "settings"
    require_same_hosts(adapter, new, new)
