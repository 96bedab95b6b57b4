"""Which names mean a secret: of settings, headers, parameters, fields of a body and of a log line.

Everything that masks asks here: the settings that a customer is shown, the requests
that are kept with an attempt, the fields of presets, and the log.
"""

import re
from typing import Final

#: They mean a secret wherever they stand in a name.
_LONG: Final = (
    "token", "secret", "password", "passwd", "passphrase", "apikey", "authorization",
    "signature", "credential", "cookie",
)  # fmt: skip
#: They are part of ordinary words too, such as monkey, hashtag, passenger and design.
_SHORT: Final = ("key", "pass", "pwd", "pw", "auth", "secure", "hash", "sign", "sig", "hmac", "jwt")

_WORD: Final = "|".join((*_LONG, *_SHORT))
#: The secret word comes last: `token_type` names no secret.
_NAME: Final = re.compile(rf"(?:.*[-_.\s])?(?:{_WORD})s?(?:[-_]?\d+)?", re.IGNORECASE | re.DOTALL)
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_IDEMPOTENCY_KEY: Final = re.compile(r".*idempotency[-_]?key", re.IGNORECASE | re.DOTALL)

#: Finds such a name in running text, case ignored, with up to 40 characters after the
#: word. It is wider than `is_secret_name`: a log line is never meant to show a secret.
#: It must not begin with an open repetition, which costs the square of a line's length.
IN_TEXT: Final = (
    rf"(?:{'|'.join(_LONG)}"
    rf"|(?<![a-z])(?<!idempotency[_-])(?:{'|'.join(_SHORT)})(?![a-z]))[\w.-]{{0,40}}"
)


def is_secret_name(name: str) -> bool:
    """Whether a value called `name` is a secret.

    The last word of the name decides. Words are parted by `-`, `_`, `.`, a space, or a
    capital letter; an `s` or a number may follow. An idempotency key is no secret.
    """
    if _IDEMPOTENCY_KEY.fullmatch(name):
        return False
    return bool(_NAME.fullmatch(name) or _NAME.fullmatch(_HUMP.sub("_", name)))
