"""A cache bounded by what it holds, for results of texts that customers write.

A bound on the number of entries is none: with the longest templates that an account may store,
4096 of them take a process hundreds of megabytes.
"""

import dataclasses
import sys
import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar

Result = TypeVar("Result")

#: One entry takes at most this fraction (a 16th) of a cache; a larger result is not kept.
_SHARE: Final = 16
#: About so many bytes of the dictionary belong to an entry, beside its arguments and result.
_ENTRY: Final = 200


def remembered(
    max_bytes: int,
) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """Remember the results of a pure function, together of at most `max_bytes`.

    The oldest are dropped first. Arguments and results are texts, tuples and frozen values.
    """

    def decorate(function: Callable[..., Result]) -> Callable[..., Result]:
        entries: dict[tuple[Any, ...], tuple[Result, int]] = {}
        lock = threading.Lock()
        held = 0

        @wraps(function)
        def remember(*arguments: Any) -> Result:
            nonlocal held
            if (entry := entries.get(arguments)) is not None:
                return entry[0]
            result = function(*arguments)
            size = _ENTRY + size_of(arguments) + size_of(result)
            if size * _SHARE > max_bytes:
                return result
            with lock:
                if arguments not in entries:
                    entries[arguments] = (result, size)
                    held += size
                while held > max_bytes:
                    held -= entries.pop(next(iter(entries)))[1]
            return result

        return remember

    return decorate


def size_of(value: object) -> int:
    """Bytes of a value with all that is in it; what stands in it twice counts twice."""
    size = sys.getsizeof(value)
    if isinstance(value, str):  # most are
        return size
    if isinstance(value, tuple):
        return size + sum(map(size_of, value))
    if dataclasses.is_dataclass(value):
        fields = dataclasses.fields(value)
        return size + sum(size_of(getattr(value, field.name)) for field in fields)
    return size
