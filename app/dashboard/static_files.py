"""The style sheet and the script, each at an address that changes with its content."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from flask import Flask, Response, abort

from app.web.auth import public

FOLDER: Final = Path(__file__).parent / "static"
_TYPES: Final = {".css": "text/css", ".js": "text/javascript"}


class StaticFile(NamedTuple):
    """The bytes of a file, and the version that stands in its address."""

    content: bytes
    version: str


def register(app: Flask) -> None:
    """Serve the files, and let templates name them: `{{ static("dashboard.css") }}`."""
    app.add_url_rule("/static/<version>/<name>", "static", serve)
    app.add_template_global(address_of, "static")


@public
def serve(version: str, name: str) -> Response:
    """Serve a file of the dashboard, for ever: another content has another address."""
    file = _files().get(name)
    if file is None or file.version != version:
        abort(404)
    response = Response(file.content, mimetype=_TYPES[Path(name).suffix])
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


def address_of(name: str) -> str:
    """Return the address of a file of the folder."""
    return f"/static/{_files()[name].version}/{name}"


@cache
def _files() -> dict[str, StaticFile]:
    contents = {path.name: path.read_bytes() for path in FOLDER.iterdir() if path.suffix in _TYPES}
    return {
        name: StaticFile(content, hashlib.sha256(content).hexdigest()[:8])
        for name, content in contents.items()
    }
