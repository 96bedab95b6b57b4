"""The security headers of every page: nothing of others is loaded or kept, and one is framed."""

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
#: web.telegram.org shows Mini Apps in a frame. Only a page with nothing to press for us to act
#: upon, and nothing of an account, may stand there.
FRAMED_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; "
    "form-action 'none'; base-uri 'none'; frame-ancestors https://web.telegram.org"
)
HSTS: Final = "max-age=31536000"


def protect(response: Response) -> Response:
    """Add the headers that the response does not set itself, and the form cookie."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if not cookies.is_local():
        response.headers.setdefault("Strict-Transport-Security", HSTS)
    cookies.keep(response)
    return response
