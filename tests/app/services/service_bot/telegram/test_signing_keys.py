import pytest

from app.services.service_bot.telegram.signing_keys import SigningKeys
from tests.support.oidc import key_set


class Source:
    """Answers with `document`, and counts."""

    def __init__(self, document):
        self.document, self.calls = document, 0

    def __call__(self):
        self.calls += 1
        return self.document


@pytest.fixture
def clock():
    now = [1000.0]

    def tick(seconds=0.0):
        now[0] += seconds
        return now[0]

    return tick


def test_keys_are_fetched_once_an_hour(clock):
    keys, source = SigningKeys(clock), Source(key_set("a"))
    assert keys.find("a", source).key_id == "a"
    assert keys.find("a", source).key_id == "a"
    assert source.calls == 1
    clock(3601)
    keys.find("a", source)
    assert source.calls == 2


def test_an_unknown_key_is_asked_for_once_a_minute(clock):
    keys, source = SigningKeys(clock), Source(key_set("a"))
    assert keys.find("b", source) is None
    assert keys.find("b", source) is None
    assert source.calls == 1
    source.document = key_set("b")
    clock(61)
    assert keys.find("b", source).key_id == "b"


def test_the_only_key_needs_no_name(clock):
    assert SigningKeys(clock).find("", Source(key_set("a"))).key_id == "a"


@pytest.mark.parametrize(
    "document",
    [None, [], {}, {"keys": 5}, {"keys": [5, {}, {"kty": "RSA", "kid": "a"}, {"kty": "x"}]}],
)
def test_what_is_no_key_set_has_no_keys(clock, document):
    assert SigningKeys(clock).find("a", Source(document)) is None


def test_keys_outlive_a_key_set_that_nobody_can_read(clock):
    keys, source = SigningKeys(clock), Source(key_set("a"))
    keys.find("a", source)
    source.document = None
    clock(61)
    assert keys.find("b", source) is None
    assert keys.find("a", source).key_id == "a"
