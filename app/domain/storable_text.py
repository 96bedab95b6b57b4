"""Which characters no text column stores, and how a text from outside loses them."""

import re
from typing import Final

#: NUL, which PostgreSQL refuses, and halves of surrogate pairs, which are no UTF-8.
UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
SURROGATE: Final = re.compile("[\ud800-\udfff]")


def sanitize(text: str, size: int) -> str:
    """Remove what is unstorable and the space around, then cut to `size` characters."""
    return UNSTORABLE.sub("", text).strip()[:size]
