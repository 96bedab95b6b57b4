"""Who is refused for want of room is told so as by the application itself, which is not asked."""

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from app.errors import TooManyRequests
from app.web.responses import handle_error
from app.web.shares.refusals import RETRY_SECONDS, Refusals

NAMED = "https://panel.example"


def refuse(path, **headers):
    environ = EnvironBuilder(path=path, headers=headers).get_environ()
    body, status, answered = run_wsgi_app(Refusals([NAMED]), environ)
    return b"".join(body), status, answered


@pytest.mark.parametrize("path", ["/api/leads/list.json", "/api/v1/events/visit", "/api/pay/acp"])
def test_it_reads_as_an_error_of_the_application_below_the_same_path(app, path):
    body, status, headers = refuse(path)
    with app.test_request_context(path, method="POST"):
        usual = handle_error(TooManyRequests(RETRY_SECONDS))
    assert (body, status) == (usual.get_data(), usual.status)
    assert set(usual.headers.items()) <= set(headers.items())
    assert headers["Retry-After"] == str(RETRY_SECONDS)
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/c/abcdef", "/leads", "/in/key", "/", ""])
def test_elsewhere_it_is_a_sentence_with_a_429(path):
    body, status, headers = refuse(path)
    assert status == "429 TOO MANY REQUESTS"
    assert b"wait and try again" in body
    assert headers["Content-Type"] == "text/plain"


def test_whether_the_process_lives_may_always_be_asked(client):
    body, status, _ = refuse("/healthz")
    usual = client.get("/healthz")
    assert status == usual.status
    assert body == usual.get_data().strip()


@pytest.mark.parametrize(
    ("path", "origin", "allowed"),
    [
        ("/api/leads/list.json", NAMED, NAMED),
        ("/api/leads/list.json", "https://evil.example", None),
        ("/leads", NAMED, None),
    ],
)
def test_pages_of_named_origins_may_read_it(path, origin, allowed):
    _, _, headers = refuse(path, Origin=origin)
    assert headers.get("Access-Control-Allow-Origin") == allowed
    assert ("Vary" in headers) == path.startswith("/api/")
