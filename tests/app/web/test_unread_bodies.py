"""Who calls, and how large a body is, is asked before a byte of it is read: at every endpoint."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from flask import Flask
from werkzeug.datastructures import Headers
from werkzeug.test import run_wsgi_app

from app.schemas.media import FRAME
from app.schemas.parsing import MAX_BODY
from app.services.accounts.concurrent_calls import NOTICES
from app.services.billing import tariffs
from app.services.billing.pushers import KnownPushers
from app.services.campaigns.media import MAX_BYTES

#: The size of what an endpoint takes, where it is not that of all others.
LIMITS = {"media.upload": MAX_BYTES + FRAME}
KINDS = (
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "",
)


class Body:
    """A body that notes whether anybody has read of it."""

    def __init__(self) -> None:
        self.reads = 0

    def read(self, _size: int = -1) -> bytes:
        self.reads += 1
        return b""

    readline = read


class Endpoints:
    """Calls every endpoint of the application with a body that is only announced."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def __iter__(self) -> Iterator[tuple[str, str, str]]:
        """Method, path and name of each."""
        for rule in self._app.url_map.iter_rules():
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                yield method, rule.rule, rule.endpoint

    def call(self, method: str, path: str, kind: str, length: int | None, key: str = "") -> Any:
        """The status, what was answered, and how often the body was read."""
        body = Body()
        builder = self._app.test_client().application.test_request_context(path, method=method)
        environ = dict(builder.request.environ)
        environ.update(
            {
                "wsgi.input": body,
                "wsgi.input_terminated": True,
                "CONTENT_TYPE": kind,
                "REMOTE_ADDR": "127.0.0.1",
            }
        )
        environ.pop("CONTENT_LENGTH", None)
        environ.pop("werkzeug.request", None)
        if length is not None:
            environ["CONTENT_LENGTH"] = str(length)
        else:
            environ["HTTP_TRANSFER_ENCODING"] = "chunked"
        if key:
            environ["HTTP_AUTHORIZATION"] = f"Bearer {key}"
        with self._app.app_context():
            parts, status, headers = run_wsgi_app(self._app.wsgi_app, environ, buffered=True)
            answer = b"".join(parts)
        assert isinstance(headers, Headers)
        return status, answer, body.reads


@pytest.fixture
def endpoints(app) -> Endpoints:
    return Endpoints(app)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("length", [1, 1 << 40, None])
def test_without_a_good_key_nothing_is_read(endpoints, kind, length):
    read = [
        (method, path)
        for method, path, _ in endpoints
        if endpoints.call(method, path, kind, length)[2]
    ]
    assert read == []


@pytest.mark.parametrize("kind", KINDS)
def test_with_a_wrong_key_nothing_is_read(endpoints, account, kind):
    wrong = f"{account.id}-wrong"
    read = [
        (method, path)
        for method, path, _ in endpoints
        if endpoints.call(method, path, kind, 10, wrong)[2]
    ]
    assert read == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_that_says_it_is_too_large_is_not_read(endpoints, account, kind):
    for method, path, name in endpoints:
        length = LIMITS.get(name, MAX_BODY) + 1
        _, answer, reads = endpoints.call(method, path, kind, length, account.key)
        assert (method, path, reads) == (method, path, 0), answer


def test_one_who_sends_too_many_notices_at_once_is_refused_before_they_are_read(
    endpoints, app, monkeypatch
):
    class Seller:
        hooks = ("read_notice",)

    def redis_away():
        raise redis.ConnectionError

    monkeypatch.setitem(app.extensions, "gateway", Seller())
    monkeypatch.setattr(tariffs, "PUSHERS", KnownPushers(redis_away))
    ends = [NOTICES.begin("127.0.0.1") for _ in range(4)]
    try:
        _, answer, reads = endpoints.call("POST", "/api/pay/acp", "application/json", 10)
    finally:
        for end in ends:
            end()
    assert b'"rate"' in answer
    assert reads == 0
