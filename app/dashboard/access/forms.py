"""Forms: whether a form comes from a page of ours, and what was typed into it.

A form must come from our own page, as the browser says, and bring a token that only a page
shown to this browser has. Both are asked before a byte of the body is kept.
"""

import hmac
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from flask import g, request
from marshmallow import ValidationError

from app.crypto import cipher
from app.dashboard.access import cookies
from app.errors import ApiError, TooLarge
from app.schemas import Input
from app.schemas.parsing import MAX_BODY, UnreadableBody, parse_pairs
from app.web.responses import invalid
from plugins.host import library_messages

#: The name of the field, and of the header by which our own script sends it.
FIELD: Final = "csrf"
HEADER: Final = "X-CSRF-Token"


class FormTooOld(ApiError):
    """A form that this browser was not shown, or was shown before it logged in or out."""

    code = "form"
    default = "this form is too old; reload the page and try again"


class Form(Mapping[str, str]):
    """What was typed, by the name of the field; of a name that occurs twice the first value."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = pairs
        self._first = dict(reversed(pairs))

    def __getitem__(self, name: str) -> str:
        return self._first[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._first)

    def __len__(self) -> int:
        return len(self._first)

    def all(self, name: str) -> list[str]:
        """Return every value of `name`, as of check boxes that share it."""
        return [value for key, value in self._pairs if key == name]


def token() -> str:
    """Return the token that the forms of this page must bring."""
    return cipher.form_token(cookies.session_token() if "account" in g else cookies.form_cookie())


def require_own_page() -> None:
    """Raise FormTooOld unless the browser says that one of our pages sends this request."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is None:
        schemes = ("https", "http") if cookies.is_local() else ("https",)
        is_ours = request.headers.get("Origin") in {f"{name}://{request.host}" for name in schemes}
    else:
        is_ours = site == "same-origin"
    if not is_ours:
        raise FormTooOld


def read(*, largest: int = MAX_BODY) -> Form:
    """Return the form of a request of ours.

    Raises FormTooOld, TooLarge, or UnreadableBody for what is no form.
    """
    require_own_page()
    if request.content_length is None:
        raise UnreadableBody
    if request.content_length > largest:
        raise TooLarge
    if request.mimetype != "application/x-www-form-urlencoded":
        raise UnreadableBody
    form = Form(parse_pairs(request.get_data()))
    presented = request.headers.get(HEADER) or form.get(FIELD, "")
    if not hmac.compare_digest(presented.encode("utf-8", "surrogatepass"), token().encode()):
        raise FormTooOld
    return form


def non_empty(values: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Return those of `values` that have one of the `names` and are not empty."""
    return {name: values[name] for name in names if values.get(name)}


def checked(schema: Input, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values as `schema` takes them. Raises BadParameter for the first wrong one."""
    library_messages.make_translatable(schema)
    try:
        loaded: dict[str, Any] = schema.load(values)
    except ValidationError as error:
        raise invalid(error) from error
    return loaded
