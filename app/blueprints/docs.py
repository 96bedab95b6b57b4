"""The contract of the API: for programs, and for people."""

import base64
import hashlib
from typing import Final

import orjson
from flask import Blueprint, Response, current_app, make_response, render_template

from app.web.auth import counted, public
from app.web.openapi.document import describe

blueprint = Blueprint("docs", __name__, url_prefix="/api")

#: The page's only style. Its hash is all that the page may apply, and nothing may run.
STYLE: Final = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 0 auto; padding: 1rem; }
h2 { margin-top: 3rem; border-bottom: 1px solid #8884; }
h3 { margin-top: 2rem; font-family: ui-monospace, monospace; font-size: 1rem; }
h3 b { display: inline-block; min-width: 3.5rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
td, th { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; }
tr { border-bottom: 1px solid #8883; }
code { font-family: ui-monospace, monospace; font-size: .9em; overflow-wrap: anywhere; }
nav a { margin-right: .75rem; }
.about { white-space: pre-line; }
"""
_PAGE: Final = "docs_page"
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@blueprint.get("/openapi.json")
@public
@counted
def described() -> Response:
    """The OpenAPI 3.1 document of this installation."""
    document = orjson.dumps(describe(current_app))
    return _cached(Response(document, mimetype="application/json"))


@blueprint.get("/docs")
@public
@counted
def page() -> Response:
    """The same for people: the one answer that is HTML."""
    extensions = current_app.extensions  # as long as the document, whoever asks how often
    if _PAGE not in extensions:
        extensions[_PAGE] = render_template("docs.html", api=describe(current_app), style=STYLE)
    response = make_response(extensions[_PAGE])
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    return _cached(response)


def _cached(response: Response) -> Response:
    """Let anyone keep the document for five minutes: it changes with a release only."""
    response.headers["Cache-Control"] = "public, max-age=300"
    return response
