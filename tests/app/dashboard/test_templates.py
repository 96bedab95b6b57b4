"""Every text of a template is marked for translation, and every page stays within its rules."""

import re
from html.parser import HTMLParser

import pytest
from jinja2 import Environment

from tests.support import ROOT

FOLDER = ROOT / "app/dashboard/templates"
TEMPLATES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.html"))
#: Words that are the same in every language.
NAMES = {"Gatepost", "HTTP", "USD", "ms"}
SPOKEN = ("title", "aria-label", "placeholder", "alt", "data-label")


class Words(HTMLParser):
    def __init__(self):
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data):
        self.words += re.findall(r"[^\W\d_]{2,}", data)

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in SPOKEN:
                self.words += re.findall(r"[^\W\d_]{2,}", value or "")


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_text_is_untranslated(name):
    text = (FOLDER / name).read_text("utf-8")
    plain = "".join(value if kind == "data" else " " for _, kind, value in _outside_of_code(text))
    parser = Words()
    parser.feed(plain)
    assert set(parser.words) <= NAMES


@pytest.mark.parametrize("name", TEMPLATES)
def test_nothing_is_inline_and_nothing_is_trusted(name):
    text = (FOLDER / name).read_text("utf-8")
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style|javascript:|\|\s*safe|autoescape", text)
    assert not [tag for tag in re.findall(r"<script[^>]*>", text) if "src=" not in tag]


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_form_that_changes_something_brings_its_token(name):
    text = (FOLDER / name).read_text("utf-8")
    for form in re.findall(r'<form[^>]*method="post".*?</form>', text, re.DOTALL):
        assert "{{ csrf() }}" in form


def _outside_of_code(text):
    """The tokens of a template; what stands in `{{ }}`, `{% %}` and `{# #}` is no data."""
    yield from Environment().lex(text)  # noqa: S701 - nothing is rendered
