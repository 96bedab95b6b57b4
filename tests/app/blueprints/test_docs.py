"""The document of the API and its page are served to anyone, and the page runs nothing."""

import base64
import hashlib
import re

import pytest
from flask import template_rendered

from app.web.openapi.document import describe, error_codes

DOCS = ("/api/openapi.json", "/api/docs")


@pytest.fixture
def document(app):
    return describe(app)


def test_the_document_is_served_to_anyone(client, document):
    answer = client.get("/api/openapi.json")
    assert answer.mimetype == "application/json"
    assert answer.get_json()["openapi"].startswith("3.1.")
    assert answer.get_json() == document


def test_the_page_names_every_operation_and_every_code(client, document):
    answer = client.get("/api/docs")
    assert answer.mimetype == "text/html"
    page = answer.get_data(as_text=True)
    for path in document["paths"]:
        assert path in page
    for code in dict(error_codes()):
        assert f"<code>{code}</code>" in page


def test_links_of_the_page_lead_somewhere(client):
    page = client.get("/api/docs").get_data(as_text=True)
    targets = set(re.findall(r'href="#([^"]+)"', page))
    assert targets <= set(re.findall(r'id="([^"]+)"', page))


def test_the_page_loads_and_runs_nothing(client):
    answer = client.get("/api/docs")
    page = answer.get_data(as_text=True)
    assert not re.search(r"<script|<link|<img|src=|@import|url\(|https?://", page)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_the_page_is_made_once_however_often_strangers_ask(app, client):
    made = []
    with template_rendered.connected_to(lambda *_, **__: made.append(1), app):
        pages = {client.get("/api/docs").get_data() for _ in range(3)}
    assert len(pages) == 1
    assert len(made) <= 1


def test_the_only_style_is_the_one_that_is_allowed(client):
    answer = client.get("/api/docs")
    (style,) = re.findall(r"<style>(.*?)</style>", answer.get_data(as_text=True), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", DOCS)
def test_docs_are_read_and_not_written(client, path):
    assert client.post(path).get_json()["error"] == "func"
