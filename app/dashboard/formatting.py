"""How values look on a page: times in the account's zone, numbers, texts of strangers."""

import time
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Flask, g
from flask.templating import Environment
from jinja2.compiler import CodeGenerator, Frame
from jinja2.nodes import Expr
from markupsafe import Markup, escape

from app.config import current_settings
from app.dashboard.access import forms
from app.dashboard.qr import qr
from app.translations import gettext, ngettext, translated
from app.translations.decisions import translated_decision

#: Characters of an answer that are shown.
LONGEST_ANSWER: Final = 4096
_SIGNS: Final = {"good": "●", "warn": "▲", "bad": "✕", "calm": "○"}
_T_ME: Final = "https://t.me"
_HIDDEN: Final = frozenset({"Cc", "Cf", "Co", "Cs"})


def register(app: Flask) -> None:
    """Offer the filters and functions below to the templates, none of which is compiled yet."""
    app.jinja_environment = PageEnvironment
    filters = (moment, day, number, compact, percent, in_telegram, ago, visible, pills, translated)
    for function in filters:  # a template knows each by its own name
        app.add_template_filter(function)
    app.add_template_filter(TitleCells, "cells")
    app.add_template_filter(translated_decision, "decision")
    app.add_template_global(forms.token, "form_token")
    for offered in (language, qr, pill):
        app.add_template_global(offered)


class _CodeGenerator(CodeGenerator):
    """Jinja's own, but for the function that escapes a value."""

    def _output_child_pre(self, node: Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape:
            super()._output_child_pre(node, frame, finalize)
            return
        self.write("environment.escaped(")
        if finalize.src is not None:
            self.write(finalize.src)


class PageEnvironment(Environment):
    """Compiles templates such that what is markup already is not escaped once more.

    A table says its labels, pills and times in each row, all of them markup, and to escape these,
    which changes nothing, took a quarter of the time of a page.
    """

    code_generator_class = _CodeGenerator

    @staticmethod
    def escaped(value: object) -> Markup:
        """Return a value as markup."""
        return value if type(value) is Markup else escape(value)


def language() -> str:
    """Return the language of this page, for its `lang` attribute."""
    from flask_babel import get_locale  # type: ignore[import-untyped,unused-ignore]

    return str(get_locale() or "en")


def zone() -> tzinfo:
    """Return the zone of the account; UTC without an account, or where the zone is unknown."""
    account = g.get("account")
    return (zone_named(account.zone) if account else None) or UTC


@lru_cache(maxsize=1024)
def zone_named(name: str) -> tzinfo | None:
    """Return the time zone of that name, None if this system knows none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def minutes_east(at: float) -> int:
    """Return how far the account's zone is east of UTC at `at`, Unix seconds."""
    offset = datetime.fromtimestamp(at, zone()).utcoffset()
    return int(offset.total_seconds()) // 60 if offset else 0


def moment(seconds: float | None) -> Markup:
    """Show Unix seconds as date and time in the account's zone; a dash for none."""
    if not seconds:
        return Markup("—")
    at = datetime.fromtimestamp(seconds, zone()).isoformat(timespec="seconds")
    shown = f"{at[:10]} {at[11:16]}"
    return Markup(f'<time datetime="{at}">{shown}</time>')  # noqa: S704 - digits and signs


def day(start: int) -> str:
    """Show the day that begins at `start`, Unix seconds as if it were UTC."""
    return time.strftime("%Y-%m-%d", time.gmtime(start))


def number(value: float | None) -> str:
    """Show a number with thin spaces between thousands; a dash for none."""
    return "—" if value is None else f"{value:,}".replace(",", "\u202f")


def compact(value: int) -> str:
    """Show a number beside the lines of a chart, where there is room for few digits."""
    for unit, letter in ((1_000_000, "M"), (1_000, "k")):
        if value >= max(unit, 10_000):
            whole = len(str(value // unit))
            return f"{value / unit:.{max(0, 3 - whole)}f}{letter}"
    return number(value)


def percent(value: float | None) -> str:
    """Show a percentage; a dash for one that is not known yet."""
    return "—" if value is None else f"{value:.1f}\u202f%"


def in_telegram(link: str) -> str:
    """Return a link of t.me as this installation opens them: `TELEGRAM_LINK_URL` in its place."""
    base = current_settings().telegram_link_url
    return base + link.removeprefix(_T_ME) if link.startswith(f"{_T_ME}/") else link


def ago(seconds: float | None) -> str:
    """Say how long ago a moment was, in its largest unit."""
    if not seconds:
        return gettext("never")
    passed = max(0, int(time.time() - seconds))
    if passed < 60:
        return gettext("just now")
    if passed < 3600:
        return ngettext("%(num)s minute ago", "%(num)s minutes ago", passed // 60)
    if passed < 86_400:
        return ngettext("%(num)s hour ago", "%(num)s hours ago", passed // 3600)
    return ngettext("%(num)s day ago", "%(num)s days ago", passed // 86_400)


@lru_cache(maxsize=1024)
def pill(kind: str, word: str) -> Markup:
    """Show a state: a sign, which colour only repeats, and a word.

    `kind` is good, warn, bad, or calm.
    """
    sign = '<span class="pill {}"><span aria-hidden="true">{}</span> {}</span>'
    return Markup(sign).format(  # noqa: S704 - what is put in is escaped
        kind, _SIGNS[kind], word
    )


def pills(states: Mapping[int, tuple[str, str]]) -> dict[int, Markup]:
    """Show each of some states, which are what `pill` takes, once for all rows of a table."""
    return {state: pill(*kind_and_word) for state, kind_and_word in states.items()}


class TitleCells(dict[int | None, Markup]):
    """Titles by id as a table shows them, each made once for all its rows; a dash for others."""

    LONGEST: Final = 60

    def __init__(self, titles: Mapping[int, str]) -> None:
        self._titles = titles

    def __missing__(self, number: int | None) -> Markup:
        title = "—" if number is None else self._titles.get(number, "—")
        cell = self[number] = escape(visible(title, self.LONGEST))
        return cell


def visible(text: str, longest: int = LONGEST_ANSWER) -> str:
    """Return a stranger's text, cut, with characters that hide or turn others made visible."""
    shown = text[:longest]
    if not shown.isprintable():  # all that is hidden is not printable
        shown = "".join(_visible(letter) for letter in shown)
    return f"{shown}…" if len(text) > longest else shown


def _visible(letter: str) -> str:
    if letter in "\n\t" or unicodedata.category(letter) not in _HIDDEN:
        return letter
    code = ord(letter)
    return chr(0x2400 + code) if code < 0x20 else f"\\u{code:04x}"
