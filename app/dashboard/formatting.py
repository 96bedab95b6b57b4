"""How values look on a page: times in the account's zone, numbers, texts of strangers."""

from __future__ import annotations

import time
import unicodedata
from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Flask, g
from markupsafe import Markup

from app.dashboard.access import forms
from app.dashboard.qr import qr
from app.translations import gettext, ngettext, translated

#: Characters of an answer that are shown.
LONGEST_ANSWER: Final = 4096
_HIDDEN: Final = frozenset({"Cc", "Cf", "Co", "Cs"})


def register(app: Flask) -> None:
    """Offer the filters and functions below to the templates."""
    app.add_template_filter(moment, "moment")
    app.add_template_filter(day, "day")
    app.add_template_filter(number, "number")
    app.add_template_filter(percent, "percent")
    app.add_template_filter(ago, "ago")
    app.add_template_filter(visible, "visible")
    app.add_template_filter(translated, "translated")
    app.add_template_global(forms.token, "form_token")
    app.add_template_global(language, "language")
    app.add_template_global(qr, "qr")


def language() -> str:
    """Return the language of this page, for its `lang` attribute."""
    from flask_babel import get_locale  # type: ignore[import-untyped,unused-ignore]

    return str(get_locale() or "en")


def zone() -> tzinfo:
    """Return the zone of the account; UTC without an account, or where the zone is unknown."""
    name = g.account.zone if "account" in g else "UTC"
    return zone_named(name) or UTC


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
    at = datetime.fromtimestamp(seconds, zone())
    return Markup('<time datetime="{}">{}</time>').format(
        at.isoformat(timespec="seconds"), f"{at:%Y-%m-%d %H:%M}"
    )


def day(start: int) -> str:
    """Show the day that begins at `start`, Unix seconds as if it were UTC."""
    return time.strftime("%Y-%m-%d", time.gmtime(start))


def number(value: float | None) -> str:
    """Show a number with thin spaces between thousands; a dash for none."""
    return "—" if value is None else f"{value:,}".replace(",", "\u202f")


def percent(value: float | None) -> str:
    """Show a percentage; a dash for one that is not known yet."""
    return "—" if value is None else f"{value:.1f}\u202f%"


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


def visible(text: str, longest: int = LONGEST_ANSWER) -> str:
    """Return a stranger's text, cut, with characters that hide or turn others made visible."""
    shown = "".join(_visible(letter) for letter in text[:longest])
    return f"{shown}…" if len(text) > longest else shown


def _visible(letter: str) -> str:
    if letter in "\n\t" or unicodedata.category(letter) not in _HIDDEN:
        return letter
    code = ord(letter)
    return chr(0x2400 + code) if code < 0x20 else f"\\u{code:04x}"
