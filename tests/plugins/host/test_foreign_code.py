"""Whatever foreign code raises comes out as one exception; an interruption by a person passes."""

import time

import pytest

from plugins.host.foreign_code import ForeignCodeFailed, call, describe_error
from plugins.host.time_limit import TimeUp


class _Silent(Exception):
    def __str__(self) -> str:
        raise SystemExit("not even my text")


def _raise(error: BaseException) -> None:
    raise error


def test_what_it_returns_comes_back_with_its_arguments_passed_on():
    assert call(1, "{}-{x}".format, 1, x=2) == "1-2"


@pytest.mark.parametrize(
    "error", [ValueError("a"), SystemExit(1), GeneratorExit(), TimeUp(), BaseException("b")]
)
def test_anything_it_raises_is_caught_with_the_error_itself(error):
    with pytest.raises(ForeignCodeFailed) as caught:
        call(1, _raise, error)
    assert caught.value.error is error
    assert caught.value.slow is isinstance(error, TimeUp)


def test_a_call_that_takes_too_long_is_slow():
    with pytest.raises(ForeignCodeFailed) as caught:
        call(0.01, time.sleep, 30)
    assert caught.value.slow


def test_an_interruption_by_a_person_passes():
    with pytest.raises(KeyboardInterrupt):
        call(1, _raise, KeyboardInterrupt())


def test_an_error_is_described_even_if_its_own_text_cannot_be_had():
    assert describe_error(ValueError("no such key")) == "ValueError: no such key"
    assert describe_error(ValueError()) == "ValueError"
    assert describe_error(_Silent()) == "_Silent"
