"""The random mark of a visitor: a UUID made in the page, or 22 characters made by us. Pure."""

import re
import string
from typing import Final

MARK_LENGTH: Final = 22  # base62 holds 131 bits, so every UUID has one
ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_MARK: Final = re.compile(rf"[A-Za-z0-9]{{{MARK_LENGTH}}}")
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def read_mark(text: str) -> str:
    """Return the mark that `text` is or stands for; "" if it is neither a mark nor a UUID."""
    if _UUID.fullmatch(text):
        return base62(int(text.replace("-", ""), 16), MARK_LENGTH)
    return text if _MARK.fullmatch(text) else ""


def base62(number: int, length: int) -> str:
    """Return the last `length` digits of `number` in base 62."""
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))
