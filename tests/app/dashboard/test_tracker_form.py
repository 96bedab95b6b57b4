import pytest

from app.dashboard.access.forms import Form
from app.dashboard.tracker_form import fields_of, masked_kept, refilled, typed_settings


def asked(name, kind="text", **options):
    return {
        "name": name,
        "title": name,
        "help": "",
        "type": kind,
        "required": False,
        "secret": False,
        **options,
    }


ASKED = [
    asked("domain", required=True),
    asked("key", secret=True, required=True),
    asked("old_key", secret=True),
    asked("mode", choices=["one", "two"], default="two"),
    asked("per_second", "number", default=5.0),
    asked("on", "flag"),
    asked("headers", "map"),
    asked("kinds", "list", choices=["wait", "hold"]),
    asked("names", "list"),
    asked("rules", "value"),
    asked("urls", "object", fields=[asked("wait"), asked("worth", "number")]),
    asked("base", default="https://a.example"),
]


def test_a_new_form_stands_with_its_defaults():
    by_path = {one.path: one for one in fields_of(ASKED, None)}
    assert by_path["settings.mode"].value == "two"
    assert by_path["settings.base"].value == "https://a.example"
    kinds = [one.kind for one in by_path.values()]
    assert kinds == (
        "text secret secret choice number flag map checks lines json object text".split()
    )
    assert [child.path for child in by_path["settings.urls"].fields] == [
        "settings.urls.wait",
        "settings.urls.worth",
    ]


def test_a_stored_secret_is_never_filled_in_and_need_not_be_typed_again():
    stored = {"domain": "a.example", "key": "***"}
    _, key, old_key, *_ = fields_of(ASKED, stored)
    assert (key.value, key.is_kept, key.required) == ("", True, False)
    assert (old_key.is_kept, old_key.required) == (False, False)


def test_what_was_typed_becomes_settings():
    form = Form(
        [
            ("settings.domain", " a.example "),
            ("settings.key", "secret"),
            ("settings.mode", "one"),
            ("settings.per_second", "2.5"),
            ("settings.on", "1"),
            ("settings.headers", "X-A=1\r\nX-B = b=c\r\n\r\n"),
            ("settings.kinds", "wait"),
            ("settings.kinds", "hold"),
            ("settings.names", "a\r\nb"),
            ("settings.rules", '[{"means": "delivered"}]'),
            ("settings.urls.wait", ""),
            ("settings.urls.worth", "3"),
            ("settings.base", ""),
        ]
    )
    assert typed_settings(fields_of(ASKED, None), form) == {
        "domain": "a.example",
        "key": "secret",
        "mode": "one",
        "per_second": 2.5,
        "on": True,
        "headers": {"X-A": "1", "X-B": "b=c"},
        "kinds": ["wait", "hold"],
        "names": ["a", "b"],
        "rules": [{"means": "delivered"}],
        "urls": {"wait": "", "worth": 3},
        "base": "",
    }


def test_what_was_left_empty_is_left_out():
    settings = typed_settings(fields_of(ASKED, None), Form([]))
    assert settings == {"mode": "", "on": False, "kinds": [], "base": ""}


def test_a_stored_secret_is_kept_replaced_or_removed():
    described = fields_of([asked("key", secret=True)], {"key": "***"})
    assert typed_settings(described, Form([])) == {}
    assert typed_settings(described, Form([("settings.key", "new")])) == {"key": "new"}
    assert typed_settings(described, Form([("settings.key.remove", "1")])) == {"key": ""}


@pytest.mark.parametrize("text", ["many", "1e999", "--1"])
def test_what_is_no_number_goes_on_as_it_was_typed(text):
    described = fields_of([asked("n", "number")], None)
    assert typed_settings(described, Form([("settings.n", text)])) == {"n": text}


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "[" * 500 + "]" * 500, "[NaN]", "[Infinity]", "{", "[\ud800]"]
)
def test_what_is_no_json_or_very_deep_goes_on_as_it_was_typed(text):
    described = fields_of([asked("rules", "object")], None)
    assert typed_settings(described, Form([("settings.rules", text)])) == {"rules": text}


def test_a_refused_form_keeps_all_but_secrets():
    form = Form([("settings.domain", "x"), ("settings.key", "secret"), ("settings.urls.wait", "u")])
    by_path = {one.path: one for one in refilled(fields_of(ASKED, None), form)}
    assert by_path["settings.domain"].value == "x"
    assert by_path["settings.key"].value == ""
    assert by_path["settings.urls"].fields[0].value == "u"


def test_secrets_among_the_fields_of_a_preset_are_kept_too():
    stored = {"fields": {"key": "***", "domain": "a.example"}}
    assert masked_kept({"fields": {"domain": "b.example"}}, stored) == {
        "fields": {"domain": "b.example", "key": "***"}
    }
    assert masked_kept({"fields": {"key": "new"}}, stored)["fields"]["key"] == "new"
    assert masked_kept({"a": 1}, {}) == {"a": 1}
