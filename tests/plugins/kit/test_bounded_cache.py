"""What is remembered of customers' texts takes a bounded part of a process."""

from dataclasses import dataclass

import pytest

from app.domain import welcome
from plugins.kit import macros
from plugins.kit.bounded_cache import remembered, size_of
from plugins.kit.secrets import typed
from plugins.trackers.url_template import adapter

MOST = 64_000


@pytest.fixture
def made():
    return []


@pytest.fixture
def make(made):
    @remembered(MOST)
    def make(text: str) -> tuple[str, ...]:
        made.append(text)
        return (text, text)

    return make


def test_a_result_is_made_once(make, made):
    assert make("a") == make("a") == ("a", "a")
    assert made == ["a"]


def test_the_oldest_go_when_there_is_no_room(make, made):
    for number in range(400):
        make(f"{number:03}")
    make("399")
    assert len(made) == 400
    make("000")
    assert made[-1] == "000"


def test_one_that_would_drive_many_out_is_made_anew(make, made):
    make("a")
    for _ in range(2):
        make("x" * 2000)
    make("a")
    assert made == ["a", "x" * 2000, "x" * 2000]


def test_a_fault_is_not_remembered():
    @remembered(MOST)
    def fail(text: str) -> str:
        raise ValueError(text)

    for _ in range(2):
        with pytest.raises(ValueError, match="a"):
            fail("a")


@dataclass(frozen=True, slots=True)
class Pair:
    one: str
    other: tuple[str, ...]


def test_all_that_is_in_a_value_counts():
    assert size_of(Pair("x" * 1000, ("y" * 1000,))) > 2000
    assert size_of("😀" * 1000) > 4000


def held(function):
    """The bytes that a remembering function says it holds."""
    names = function.__code__.co_freevars
    return function.__closure__[names.index("held")].cell_contents


FUNCTIONS = (
    (macros.compile_url, lambda n: (f"https://e.com/{n}?" + "a={click}&" * 190,)),
    (typed.secrets_of_url, lambda n: (f"https://e.com/{n}?key=" + "😀" * 1900,)),
    (typed._typed_into, lambda n: ("x", f"{n}" + "😀 " * 500)),
    (typed._spellings, lambda n: (f"{n}" + "😀" * 1000,)),
    (adapter._with_secret_fields, lambda n: ("{key}", (("key", f"{n}" + "😀" * 200),))),
    (welcome._parsed, lambda n: (f"{n}" + "*a*b" * 100,)),
)


@pytest.mark.parametrize(("function", "arguments"), FUNCTIONS)
def test_the_longest_texts_of_an_account_take_no_more_than_the_bound(function, arguments):
    for number in range(60):
        function(*arguments(number))
    assert held(function) <= 16_000_000
