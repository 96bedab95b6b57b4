"""Foreign code is called here: under a time limit, and whatever it raises becomes one exception."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from plugins.host.time_limit import TimeUp, time_limit

Result = TypeVar("Result")
Parameters = ParamSpec("Parameters")

_TEXT_SECONDS = 0.2


class ForeignCodeFailed(Exception):
    """Foreign code raised `error`; `slow` if it had to be interrupted."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(type(error).__name__)
        self.error = error
        self.slow = isinstance(error, TimeUp)


def call(
    seconds: float,
    function: Callable[Parameters, Result],
    /,
    *arguments: Parameters.args,
    **named: Parameters.kwargs,
) -> Result:
    """Call `function` for at most `seconds`. Raises ForeignCodeFailed.

    KeyboardInterrupt, which is meant for us, passes.
    """
    try:
        with time_limit(seconds):
            return function(*arguments, **named)
    except KeyboardInterrupt:
        raise
    # Foreign code raises anything: SystemExit and our own TimeUp, which no `except Exception`
    # sees, must end as a failed attempt or a broken plugin like the rest.
    except BaseException as error:
        raise ForeignCodeFailed(error) from error


def describe_error(error: BaseException) -> str:
    """Return an exception's type and text; the type alone if its text cannot be had."""
    name = type(error).__name__
    try:
        text = call(_TEXT_SECONDS, str, error)
    except ForeignCodeFailed:
        return name
    return f"{name}: {text}" if text else name
