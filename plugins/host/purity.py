"""Whether a hook does more than describe: who looks at the clock, the network, the environment."""

import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

#: Beginnings of the audit events that a pure function never causes.
_IMPURE: Final = ("socket.", "open", "subprocess.", "os.system", "os.putenv", "urllib.Request")

#: What `time` offers that does not look at the clock when given a time.
_TIMELESS: Final = ("strftime", "mktime", "gmtime", "strptime")

_watch = threading.local()
_hooked: list[bool] = []


@contextmanager
def watched() -> Iterator[list[str]]:
    """Collect what this thread does to the outside: audit events and clock calls."""
    if not _hooked:  # an audit hook stays for ever, so there is one
        sys.addaudithook(_audit)
        _hooked.append(True)
    _watch.seen = seen = list[str]()
    gc.disable()  # a finalizer of somebody else's object is not the hook's doing
    sys.setprofile(_profile)
    try:
        yield seen
    finally:
        sys.setprofile(None)
        _watch.seen = None
        gc.enable()


def _audit(event: str, _arguments: tuple[Any, ...]) -> None:
    seen = getattr(_watch, "seen", None)
    if seen is not None and event.startswith(_IMPURE):
        seen.append(event)


def _profile(frame: Any, event: str, function: Any) -> None:
    """Notice who asks for the time or the environment, our own time limit aside."""
    module = frame.f_globals.get("__name__")
    if event == "call" and module == "os":
        _watch.seen.append(f"os.{frame.f_code.co_name}")
    if event != "c_call" or module == "plugins.host.time_limit":
        return
    owner, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
    reads_clock = getattr(owner, "__name__", "") == "time" and name not in _TIMELESS
    if reads_clock or (isinstance(owner, type) and name in ("now", "utcnow", "today")):
        _watch.seen.append(f"{getattr(owner, '__name__', owner)}.{name}")
