"""The two variables that need a package of their own, and whether it is installed."""

import re
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, distribution
from typing import Final
from urllib.parse import urlsplit

#: By extra of setup.cfg: the distribution that must be there.
PACKAGES: Final = {
    "otel": "opentelemetry-exporter-otlp-proto-http",
    "sentry": "sentry-sdk",
}
_DSN: Final = re.compile(r"https?://[A-Za-z0-9]+(?::[A-Za-z0-9]+)?@[^/?#@\s]+(?:/[^/?#\s]+)*/\d+")


def collector(text: str, is_installed: Callable[[str], bool] | None = None) -> str:
    """Return the base address of an OTLP collector, or "". Raises ValueError."""
    if not text:
        return ""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an http or https address, such as http://localhost:4318")
    if parts.query or parts.fragment or parts.username is not None:
        raise ValueError("must not carry user-info, a query or a fragment")
    _require("otel", is_installed)
    return text


def dsn(text: str, is_installed: Callable[[str], bool] | None = None) -> str:
    """Return the DSN of a project in Sentry, or "". Raises ValueError, without the key in it."""
    if not text:
        return ""
    if not _DSN.fullmatch(text):
        raise ValueError("is not a DSN, which looks like https://key@sentry.example.com/1")
    _require("sentry", is_installed)
    return text


def _require(extra: str, is_installed: Callable[[str], bool] | None) -> None:
    if not (is_installed or _is_installed)(PACKAGES[extra]):
        raise ValueError(
            f"needs the library {PACKAGES[extra]}; add the line -r requirements-{extra}.txt to"
            " requirements-plugins.txt and install again"
        )


def _is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True
