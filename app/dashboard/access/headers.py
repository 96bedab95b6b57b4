"""The security headers of every page: nothing of others is loaded, framed or kept."""

from __future__ import annotations

from typing import Final

from flask import Response

from app.dashboard.access import cookies

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
HSTS: Final = "max-age=31536000"


def protect(response: Response) -> Response:
    """Add the headers that the response does not set itself, and the form cookie."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if not cookies.is_local():
        response.headers.setdefault("Strict-Transport-Security", HSTS)
    cookies.keep(response)
    return response
