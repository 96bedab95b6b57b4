"""What a customer of `url_template` may type, and what is kept of it."""

from typing import Any

import pytest
from marshmallow import ValidationError

from plugins.contract import EventKind
from plugins.trackers.url_template.settings import UrlTemplateSettings


def settings(url: str = "", **more: Any) -> dict[str, Any]:
    return dict(UrlTemplateSettings().load({"urls": {"approve": url}, **more}))


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("ftp://t.example/", "http"),
        ("t.example/pb", "http"),
        ("{click}", "http"),
        ("https://{domain}/pb", "{domain}"),
        ("https://t.example:{lead}/", "{lead}"),
        ("https://me:word@t.example/", "user name"),
        ("https:///pb", "no domain"),
        ("https://t.example:70000/", "port"),
        ("https://t.example\\@evil.example/", "user name"),
        ("https://t example/", "characters"),
        ("https://t.example/\nx", "control"),
        ("https://t.example/" + "a" * 2048, "longer"),
        ("https://0x7f.1/", "four decimal numbers"),
        ("https://[zz]/", "IPv6"),
        ("https://a..b/", "proper name"),
        ("https://-a.example/", "proper name"),
        ("https://t.example:6379/", "Redis"),
    ],
)
def test_an_unusable_url_is_refused_in_words(url: str, word: str):
    with pytest.raises(ValidationError) as caught:
        settings(url)
    messages = caught.value.messages
    assert isinstance(messages, dict)
    assert word in messages["urls"]["approve"][0]


@pytest.mark.parametrize("name", ["Host", "content-length", "Accept-Encoding"])
def test_a_header_that_the_transport_sets_is_refused_when_it_is_typed(name: str):
    with pytest.raises(ValidationError) as caught:
        settings("https://t.example/", headers={name: "other.example"})
    assert "leave it out" in str(caught.value.messages)


@pytest.mark.parametrize("value", ["caf\u00e9", "{click} \u2013", "a\nb"])
def test_a_header_value_that_http_cannot_carry_is_refused_when_it_is_typed(value: str):
    with pytest.raises(ValidationError) as caught:
        settings("https://t.example/", headers={"X-Name": value})
    assert "a header carries" in str(caught.value.messages)


def test_a_body_needs_the_method_post():
    with pytest.raises(ValidationError):
        settings("https://t.example/", body="json")
    with pytest.raises(ValidationError):
        settings("https://t.example/", method="POST", payload={"a": "b"})


@pytest.mark.parametrize(
    "payload",
    [
        {"a": ["list"]},
        {"a": float("nan")},
        {"a": float("inf")},
        {"a": {"b": {"c": {"d": {"e": 1}}}}},
        {"a": "x" * 1025},
        {str(number): 1 for number in range(65)},
        {"a": {str(number): 1 for number in range(65)}},
        {"a": "{username|number}"},
        {"a": "id {lead|number}"},
        {"": "a"},
    ],
    ids=lambda payload: str(payload)[:30],
)
def test_a_payload_that_cannot_be_sent_is_refused(payload: dict[str, Any]):
    with pytest.raises(ValidationError) as caught:
        settings("https://t.example/", method="POST", body="json", payload=payload)
    assert "payload" in caught.value.normalized_messages()


def test_a_form_carries_texts_only():
    with pytest.raises(ValidationError) as caught:
        settings("https://t.example/", method="POST", body="form", payload={"a": 1})
    assert "payload" in caught.value.normalized_messages()


def test_urls_alone_are_completed_and_an_absent_one_is_empty():
    kept = settings(" https://t.example/?c={click} ")
    assert kept["urls"]["approve"] == "https://t.example/?c={click}"
    assert [kept["urls"][kind.value] for kind in EventKind].count("") == 4
    assert (kept["method"], kept["body"], kept["scheme"]) == ("GET", "none", "https")


def test_without_a_preset_there_are_no_fields_and_no_mode():
    for more in ({"fields": {"domain": "a.example"}}, {"mode": "one"}):
        with pytest.raises(ValidationError) as caught:
            settings("https://t.example/", **more)
        assert "preset" in caught.value.normalized_messages()


def test_a_preset_or_urls_are_needed():
    with pytest.raises(ValidationError) as caught:
        UrlTemplateSettings().load({})
    assert "urls" in caught.value.normalized_messages()


def test_a_preset_writes_urls_that_are_checked_like_typed_ones():
    typed = {"preset": "keitaro", "fields": {"domain": "a b", "postback_key": "abcd1"}}
    with pytest.raises(ValidationError) as caught:
        UrlTemplateSettings().load(typed)
    assert "fields" in caught.value.normalized_messages()
    kept = UrlTemplateSettings().load(
        {**typed, "fields": {"domain": "a.b", "postback_key": "abcd1"}}
    )
    assert kept["urls"]["wait"].startswith("https://a.b/{postback_key}/postback?")


@pytest.mark.parametrize(
    ("rules", "is_accepted"),
    [("", True), ("altercpa", True), ([{"status": 404, "outcome": "refused"}], True),
     ("nobody", False), ([{}], False)],
)  # fmt: skip
def test_answer_rules_are_a_list_or_the_key_of_a_preset(rules: Any, is_accepted: bool):
    if is_accepted:
        assert settings("https://t.example/", answer_rules=rules)["answer_rules"] == rules
        return
    with pytest.raises(ValidationError) as caught:
        settings("https://t.example/", answer_rules=rules)
    assert list(caught.value.normalized_messages()) == ["answer_rules"]
