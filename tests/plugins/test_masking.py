"""Secrets are masked, few of them or thousands."""

import random

import pytest

from plugins import masking
from plugins.kit.secrets.typed import mask_cut, secrets_of_fields
from plugins.masking import candidates, mask


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
    assert mask("no such key: nothing", secrets) == "***"
    assert mask("no such key: nothing", secrets[1:]) == "no such key: nothing"
