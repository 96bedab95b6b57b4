"""Our API as one that speaks in HTTP statuses, for tools that expect that.

The public API always answers 200 and says in its body what it means. This
says the same outside, of answers and in the document alike, and changes
nothing else: what a tool finds wrong behind it is wrong in front of it.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any, Final

import orjson
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import run_wsgi_app

STATUSES: Final = {
    "key": "401 Unauthorized",
    "ban": "403 Forbidden",
    "unpaid": "402 Payment Required",
    "notfound": "404 Not Found",
    "param": "400 Bad Request",
    "size": "413 Content Too Large",
    "rate": "429 Too Many Requests",
    "db": "503 Service Unavailable",
    "server": "500 Internal Server Error",
}
OTHERWISE: Final = "409 Conflict"
DOCUMENT: Final = "/api/openapi.json"


class PlainHttp:
    """WSGI around the application under test."""

    def __init__(self, app: Any, document: dict[str, Any]) -> None:
        self._app = app
        self._methods = {
            path: ", ".join(method.upper() for method in methods)
            for path, methods in document["paths"].items()
        }

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        answer, status, headers = run_wsgi_app(self._app.wsgi_app, environ, buffered=True)
        body = b"".join(answer)
        if headers.get("Content-Type") == "application/json":
            told = orjson.loads(body) if body else {}
            if environ["PATH_INFO"] == DOCUMENT and "openapi" in told:
                body = orjson.dumps(translated(told))
                headers["Content-Length"] = str(len(body))
            elif told.get("status") == "error":
                status = self._status(told["error"], environ["PATH_INFO"], headers)
        start(status, list(headers))
        return [body]

    def _status(self, code: str, path: str, headers: Any) -> str:
        if code != "func":
            return STATUSES.get(code, OTHERWISE)
        if path not in self._methods:
            return "404 Not Found"
        headers["Allow"] = self._methods[path]
        return "405 Method Not Allowed"


def translated(document: dict[str, Any]) -> dict[str, Any]:
    """The document with errors under statuses of their own."""
    for methods in document["paths"].values():
        for endpoint in methods.values():
            content = endpoint["responses"]["200"]["content"]
            error = {"schema": {"$ref": "#/components/schemas/Error"}}
            schema = content["application/json"]["schema"]
            if "oneOf" in schema:
                content["application/json"]["schema"] = schema["oneOf"][0]
            else:
                del content["application/json"]
            endpoint["responses"]["4XX"] = {
                "description": "An error.",
                "content": {"application/json": error},
            }
    return document


class _Silent(WSGIRequestHandler):
    def log(self, *_: Any, **__: Any) -> None:
        pass


@contextmanager
def serving(application: Any) -> Iterator[str]:
    """A real HTTP server around a WSGI application; yields its address."""
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_Silent)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
