"""Destinations made ready to use, and the reasons why one is not."""

import json
from typing import Any

import pytest

from app.crypto import cipher
from app.services.delivery import targets
from app.services.delivery.targets import DestinationResolver, DestinationUnavailable
from plugins.registry import BrokenTracker, UnknownTracker, make_adapter
from tests.support.adapters import PlainPlugin

NOW = 1000.0


class Counting:
    """A registry that counts how often it is asked."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked = 0
        self._error = error

    def get(self, name: str) -> Any:
        self.asked += 1
        if self._error is not None:
            raise self._error
        return make_adapter(name, PlainPlugin())


def encrypted(settings: dict[str, Any]) -> str:
    return cipher.encrypt(json.dumps(settings))


@pytest.fixture
def registry(app) -> Counting:
    return Counting()


@pytest.fixture
def resolver(registry) -> DestinationResolver:
    return DestinationResolver(registry)


def test_settings_are_decrypted_once_for_all_postbacks_of_a_destination(resolver, registry):
    settings = encrypted({"key": "s3cret"})
    first = resolver.resolve("plain", settings, NOW)
    assert first.settings == {"key": "s3cret"}
    assert resolver.resolve("plain", settings, NOW) is first
    assert registry.asked == 1


def test_changed_settings_are_resolved_again(resolver, registry):
    resolver.resolve("plain", encrypted({"key": "old"}), NOW)
    assert resolver.resolve("plain", encrypted({"key": "new"}), NOW).settings == {"key": "new"}
    assert registry.asked == 2


def test_settings_of_very_many_large_destinations_are_not_all_kept(resolver, monkeypatch):
    first, second = (encrypted({"key": letter * 1000}) for letter in "ab")
    monkeypatch.setattr(targets, "_MOST_CHARACTERS", len(first) + len(second) - 1)
    for settings in (first, second):
        resolver.resolve("plain", settings, NOW)
    assert resolver.cached("plain", first) is None
    assert resolver.cached("plain", second) is not None


def test_what_was_never_resolved_is_not_cached(resolver, registry):
    settings = encrypted({})
    assert resolver.cached("plain", settings) is None
    assert registry.asked == 0
    resolved = resolver.resolve("plain", settings, NOW)
    assert resolver.cached("plain", settings) is resolved


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (UnknownTracker("plain"), "is not installed"),
        (BrokenTracker("no module"), "is broken"),
    ],
)
def test_a_missing_or_broken_tracker_is_named(app, error, reason):
    with pytest.raises(DestinationUnavailable, match=reason):
        DestinationResolver(Counting(error)).resolve("plain", encrypted({}), NOW)


def test_settings_of_another_secret_key_are_unavailable(resolver):
    with pytest.raises(DestinationUnavailable, match="another SECRET_KEY"):
        resolver.resolve("plain", encrypted({})[:-8] + "AAAAAAAA", NOW)


def test_a_third_partys_tracker_that_hung_is_left_alone_for_a_while(resolver):
    settings = encrypted({})
    resolver.resolve("plain", settings, NOW)
    resolver.cool_down("plain", NOW + 60)
    with pytest.raises(DestinationUnavailable, match="rests for a while"):
        resolver.resolve("plain", settings, NOW + 59)
    assert resolver.resolve("plain", settings, NOW + 60)


def test_a_built_in_tracker_is_called_again_at_once(app):
    resolver = DestinationResolver(app.extensions["trackers"])
    resolver.cool_down("url_template", NOW + 60)
    settings = encrypted({"urls": {"wait": "https://t.example/"}, "method": "GET"})
    assert resolver.resolve("url_template", settings, NOW).adapter.name == "url_template"
