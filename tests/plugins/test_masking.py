"""Secrets are masked, few of them or thousands."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins import masking
from plugins.kit.secrets.typed import mask_cut, secrets_of_fields
from plugins.masking import WITHHELD, candidates, mask, mask_beginning


def test_the_longest_is_masked_first():
    assert mask("abcdef abc", ("abc", "abcdef")) == "*** ***"


def test_of_many_only_those_are_looked_for_whose_beginning_is_there():
    secrets = tuple(f"{number:04}secret" for number in range(1000))
    assert candidates("no such key: 0007secret", secrets) == ("0007secret",)
    assert mask("no such key: 0007secret", secrets) == "no such key: ***"


@pytest.mark.parametrize("masks", [mask, mask_cut])
def test_many_secrets_are_masked_as_few_are(masks, monkeypatch):
    rng = random.Random(5)

    def text(length: int) -> str:
        return "".join(rng.choices("ab*c", k=length))

    for _ in range(300):
        secrets = ("", *(text(rng.randint(1, 9)) for _ in range(12)))
        said = text(60)
        monkeypatch.setattr(masking, "_MANY", 0)
        many = masks(said, secrets)
        monkeypatch.setattr(masking, "_MANY", 100)
        assert many == masks(said, secrets)


def test_a_body_of_thousands_of_words_costs_few_looks():
    """Each word that a customer types may be a key, and each is looked for in each answer."""
    rng = random.Random(5)
    words = ("".join(rng.choices("bcdfghjk9", k=6)) for _ in range(8000))
    secrets = secrets_of_fields({"text": " ".join(words)})
    assert len(secrets) > 8000
    assert len(candidates("the click id is unknown: 8f2a" * 10, secrets)) < 300


def test_with_very_many_secrets_the_whole_text_is_masked():
    secrets = tuple(f"{number:05}secret" for number in range(2001))
    assert mask("no such key: nothing", secrets) == WITHHELD
    assert mask("no such key: nothing", secrets[1:]) == "no such key: nothing"


def test_with_very_long_secrets_the_whole_text_is_masked():
    secrets = tuple(f"{number}{'x' * 50_000}" for number in range(11))
    assert mask("no such key: nothing", secrets) == WITHHELD
    assert mask("", secrets) == ""


@given(st.lists(st.text("abc", max_size=9), max_size=9), st.text("abcd ", max_size=40))
def test_in_one_pass_no_secret_is_lost_and_nothing_else(secrets, text):
    secrets = tuple(filter(None, secrets))
    shown = masking._mask_in_one_pass(text, secrets)
    assert not [secret for secret in secrets if secret in shown]
    covered = set()
    for secret in secrets:
        for at in range(len(text)):
            if text.startswith(secret, at):
                covered |= set(range(at, at + len(secret)))
    own = "".join(sign for at, sign in enumerate(text) if at not in covered)
    assert shown.replace("*", "") == own


def test_a_secret_that_only_a_mask_and_its_neighbour_spell_is_masked_in_one_pass():
    assert masking._mask_in_one_pass("abcdX-", ("abcd", "**X")) == "****-"


class Counted(str):
    """A text that counts how often something is compared with it."""

    __slots__ = ()
    looks = 0

    def startswith(self, *terms):
        Counted.looks += 1
        return str.startswith(self, *terms)

    def replace(self, *terms):
        Counted.looks += 1
        return str.replace(self, *terms)


def test_many_secrets_of_one_beginning_are_compared_so_often_and_no_more():
    Counted.looks = 0
    secrets = tuple(f"abcdefgh{number:05}" for number in range(1990))
    assert mask(Counted("abcdefgh" * 2000), secrets) == WITHHELD
    assert Counted.looks <= masking._MOST_LOOKS + len(secrets)
    assert mask("x" * 5000 + secrets[7] + secrets[8], secrets) == "x" * 5000 + "******"


def test_of_a_long_request_the_beginning_is_looked_at_and_no_cut_secret_shown():
    key = "Zq7Kx9Wp3VbNr8Tm"
    assert mask_beginning(f"key={key}&a=1", (key,), 9) == "key=***&a"
    for before in range(20):
        text = "." * before + key * 1000
        assert "Z" not in mask_beginning(text, (key,), 1000)
    assert len(mask_beginning("word " * 9000, (key,), 1000)) == 1000
    assert mask_beginning("word " * 9000, (), 1000) == "word " * 200
