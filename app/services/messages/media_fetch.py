"""The content of a media is read from the store in a thread of its own."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from app.outbound.object_store import StoreUnreachable
from app.services.campaigns.media import MediaContent


class NotYet(Exception):
    """The content is still being read."""


class MediaFetch:
    """Runs `read` in a daemon thread: the process may end while it hangs.

    `read` returns the content, or None if it is gone, and raises StoreUnreachable. The store
    counts as unreachable when it has not returned after `seconds`.
    """

    def __init__(self, read: Callable[[], MediaContent | None], seconds: float) -> None:
        self._read = read
        self._end = time.monotonic() + seconds
        self._future: Future[MediaContent | None] = Future()
        threading.Thread(target=self._run, name="media", daemon=True).start()

    def content(self, seconds: float) -> MediaContent | None:
        """Return the content, waiting at most `seconds`. Raises NotYet and StoreUnreachable."""
        try:
            return self._future.result(seconds)
        except TimeoutError:
            if time.monotonic() < self._end:
                raise NotYet from None
            raise StoreUnreachable("it takes too long") from None

    def _run(self) -> None:
        try:
            self._future.set_result(self._read())
        except StoreUnreachable as error:
            self._future.set_exception(error)
