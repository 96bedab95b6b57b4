"""The payload of a start link: a campaign's code, and a click id or a token of ours. Pure.

Telegram carries 64 characters of A-Z a-z 0-9 _ and -, too few for many click
ids. So a link that goes by a source carries a token instead, and the
click stays here.
"""

import re
import secrets
import string
from typing import Final, NamedTuple

_ALPHABET: Final = string.ascii_letters + string.digits
TOKEN_LENGTH: Final = 16  # 95 bits: nobody guesses one
_TOKEN: Final = re.compile(rf"[A-Za-z0-9]{{{TOKEN_LENGTH}}}")
_MARK: Final = re.compile(r"[-_]")  # a code has neither, so the first one ends it


class StartPayload(NamedTuple):
    """`code` names the campaign. At most one of `click` and `token` is not empty."""

    code: str
    click: str = ""
    token: str = ""


def new_token() -> str:
    """A random token, which names one click for as long as the click is kept."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(TOKEN_LENGTH))


def of_token(code: str, token: str) -> str:
    """The payload that brings a click back by its token."""
    return f"{code}_{token}"


def split(payload: str) -> StartPayload:
    """Split `CODE-CLICK` or `CODE_TOKEN`. What follows `_` and is no token is a click."""
    mark = _MARK.search(payload)
    if mark is None:
        return StartPayload(payload)
    code, rest = payload[: mark.start()], payload[mark.end() :]
    if mark[0] == "_" and _TOKEN.fullmatch(rest):
        return StartPayload(code, token=rest)
    return StartPayload(code, click=rest)
