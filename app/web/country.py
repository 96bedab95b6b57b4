"""The country of who calls, as a header tells it that the operator trusts."""

from flask import request

from app.config import current_settings
from app.domain.clicks.page_visit import country_code


def caller_country() -> str:
    """Return two letters, or "" where `COUNTRY_HEADER` is not set or its header says nothing.

    Whoever puts the header there must also take away what a client sends under its name.
    """
    name = current_settings().country_header
    return country_code(request.headers.get(name, "").strip()) if name else ""
