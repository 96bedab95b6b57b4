"""Foreign code is called here: under a time limit, and whatever it raises becomes one exception."""

import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from plugins.host.time_limit import MAIN, TimeUp, Watchdog, time_limit

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
        return run_limited(seconds, function, *arguments, **named)
    except KeyboardInterrupt:
        raise
    # Foreign code raises anything: SystemExit and our own TimeUp, which no `except Exception`
    # sees, must end as a failed attempt or a broken plugin like the rest.
    except BaseException as error:
        raise ForeignCodeFailed(error) from error


def run_limited(
    seconds: float,
    function: Callable[Parameters, Result],
    /,
    *arguments: Parameters.args,
    **named: Parameters.kwargs,
) -> Result:
    """Call `function`, and interrupt it by TimeUp after `seconds`. In any thread.

    None is raised in the thread afterwards.
    """
    if threading.get_ident() == MAIN:
        with time_limit(seconds):
            return function(*arguments, **named)
    watchdog = Watchdog()
    try:
        watchdog.start(seconds)
        return function(*arguments, **named)
    finally:
        # Python raises what another thread has sent where something is called and where a loop
        # turns back. So the call's end is noted here, by no call: noted in an `__exit__`, it was
        # not where the next one struck before that, and whoever had the thread next was shot at.
        watchdog.is_over = True
        try:
            watchdog.settle()
        except TimeUp:
            try:
                watchdog.settle()
            except TimeUp:  # one had come already, and one was on its way; there is no third
                watchdog.settle()


def describe_error(error: BaseException) -> str:
    """Return an exception's type and text; the type alone if its text cannot be had."""
    name = type(error).__name__
    try:
        text = call(_TEXT_SECONDS, str, error)
    except ForeignCodeFailed:
        return name
    return f"{name}: {text}" if text else name
