"""The demo's client: an error ends the demo with a sentence, and an ad leads on as in a browser."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from app.sandbox.demo.api import Api, DemoFailed

LINK = "https://t.me/+AbCdEf"


class Handler(BaseHTTPRequestHandler):
    """Answers as the system does, and remembers what it was asked."""

    seen: list[tuple[str, str, str]]

    def do_GET(self):
        self.seen.append((self.path, self.headers["User-Agent"], self.headers["Authorization"]))
        if self.path.startswith("/c/"):
            self.send_response(302)
            self.send_header("Location", LINK)
            self.end_headers()
        elif self.path.startswith("/in/"):
            self.send_response(200 if "click=c1" in self.path else 404)
            self.end_headers()
            self.wfile.write(b"no such lead")
        else:
            self._say({"status": "error", "error": "notfound", "message": "no such bot"})

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self._say({"status": "ok", "data": {"id": 5, "code": "abcdefgh", "key": "Casino5"}})

    def _say(self, answer):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def api():
    Handler.seen = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = Api(f"http://127.0.0.1:{server.server_port}", "1-secret")
    yield client
    client.close()
    server.shutdown()
    server.server_close()


def test_an_error_of_the_api_ends_the_demo_with_its_words(api):
    with pytest.raises(DemoFailed, match="bots/list answered notfound: no such bot"):
        api.get("bots/list")
    assert Handler.seen[0][2] == "Bearer 1-secret"


def test_who_opens_the_ad_is_a_browser_without_a_key_and_is_told_where_it_leads(api):
    ad = api.make_ad(3)
    assert ad.endswith("/c/abcdefgh")
    assert api.open_ad(f"{ad}?click=c1") == LINK
    ((path, agent, key),) = Handler.seen
    assert (path, key) == ("/c/abcdefgh?click=c1", "")
    assert agent.startswith("Mozilla")


def test_the_casino_knows_the_click_only_and_has_no_key_of_the_api(api):
    api.connect_casino(3, "http://t.example/?v={value}")
    api.deposit("c1")
    ((path, _, key),) = Handler.seen
    assert path == "/in/Casino5?event=deposit&click=c1&value=49.50&tid=c1-1"
    assert key == ""
    with pytest.raises(DemoFailed, match="404: no such lead"):
        api.deposit("c2")
