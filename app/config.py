"""The environment, read once into a frozen value. A wrong value stops the boot."""

from __future__ import annotations

import ipaddress
import json
import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import current_app

from app.observability import extras
from app.service_urls import database_url, redis_url, webhook_base
from plugins.kit import url_spelling

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
#: Reads a variable: its name, its default, and what makes a value of its text.
Read = Callable[[str, str, Callable[[str], Any]], Any]


@dataclass(frozen=True, slots=True)
class NetworkPort:
    """One port of a network."""

    network: Network
    port: int


#: What an operator opens: a network whole, or one port of it.
Opened = Network | NetworkPort

#: Of the release; setup.cfg and plugins/pyproject.toml say the same.
VERSION = "0.2.0.dev0"
PUBLIC_BOT_API = "https://api.telegram.org"
PUBLIC_LOGIN = "https://oauth.telegram.org"
#: Where the routers of platforms (Heroku, Render, Fly, Kubernetes) and a local proxy are.
PAAS_ROUTERS = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10,127.0.0.0/8,fc00::/7,::1/128"


class BadSetting(Exception):
    """An environment variable that cannot be used; the text names it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the environment decides. See docs/operating.md."""

    database_url: str
    redis_url: str
    secret_key: str
    old_secret_keys: tuple[str, ...]
    public_url: str
    telegram_api_url: str
    telegram_link_url: str
    service_bot_token: str
    telegram_client_id: str
    telegram_client_secret: str
    telegram_login_url: str
    outbound_allow: tuple[Opened, ...]
    trusted_proxies: tuple[Network, ...]
    payment_gateway: str
    payment_settings: str
    port: int
    web_concurrency: int
    workers: int
    database_pool: int
    lease_seconds: int
    request_seconds: int
    keep_updates_days: int
    keep_attempts_days: int
    keep_journal_days: int
    keep_clicks_days: int
    media_store: str
    presets_dir: str
    country_header: str
    cors_origins: tuple[str, ...]
    otel_exporter_otlp_endpoint: str
    sentry_dsn: str
    log_level: str
    log_format: str

    @property
    def service_bot_id(self) -> int:
        """The Telegram id of the service bot, 0 without one."""
        return int(self.service_bot_token.partition(":")[0] or 0)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Read and check all variables. Raises BadSetting naming the first wrong one."""

        def read(name: str, default: str, parse: Callable[[str], Any]) -> Any:
            try:
                return parse(environ.get(name, "").strip() or default)
            except ValueError as error:
                raise BadSetting(f"{name}: {error}") from error

        settings = cls(**_addresses(read), **_sizes(read), **_looks(read), **_kept_days(read))
        if settings.telegram_api_url == PUBLIC_BOT_API and settings.public_url:
            read("PUBLIC_URL", "", webhook_base)
        _check_login(settings)
        return settings


def current_settings() -> Settings:
    """Return the settings of the running application. Needs an application context."""
    settings: Settings = current_app.config["SETTINGS"]
    return settings


def _check_login(settings: Settings) -> None:
    """Raise BadSetting for half of what a login by OpenID Connect needs."""
    if bool(settings.telegram_client_id) != bool(settings.telegram_client_secret):
        raise BadSetting("TELEGRAM_CLIENT_ID: goes with TELEGRAM_CLIENT_SECRET")
    if settings.telegram_client_id and not settings.public_url:
        raise BadSetting("TELEGRAM_CLIENT_ID: needs PUBLIC_URL, to which Telegram leads back")


def _addresses(read: Read) -> dict[str, Any]:
    return {
        "database_url": read("DATABASE_URL", "sqlite:///var/gatepost.db", database_url),
        "redis_url": read("REDIS_URL", "", redis_url),
        "secret_key": read("SECRET_KEY", "", _secret),
        "old_secret_keys": read("OLD_SECRET_KEYS", "", _secrets),
        "public_url": read("PUBLIC_URL", "", _base_url),
        "telegram_api_url": read("TELEGRAM_API_URL", PUBLIC_BOT_API, _base_url),
        "telegram_link_url": read("TELEGRAM_LINK_URL", "https://t.me", _base_url),
        "service_bot_token": read("SERVICE_BOT_TOKEN", "", _token),
        "telegram_client_id": read("TELEGRAM_CLIENT_ID", "", str),
        "telegram_client_secret": read("TELEGRAM_CLIENT_SECRET", "", str),
        "telegram_login_url": read("TELEGRAM_LOGIN_URL", PUBLIC_LOGIN, _base_url),
        "outbound_allow": read("OUTBOUND_ALLOW", "", _opened),
        "trusted_proxies": read("TRUSTED_PROXIES", PAAS_ROUTERS, _proxies),
        "payment_gateway": read("PAYMENT_GATEWAY", "", str),
        "payment_settings": read("PAYMENT_SETTINGS", "{}", _json_object),
        "presets_dir": read("PRESETS_DIR", "", _folder),
        "media_store": read("MEDIA_STORE", "", _media_store),
        "otel_exporter_otlp_endpoint": read("OTEL_EXPORTER_OTLP_ENDPOINT", "", extras.collector),
        "sentry_dsn": read("SENTRY_DSN", "", extras.dsn),
    }


def _sizes(read: Read) -> dict[str, Any]:
    return {
        "port": read("PORT", "8000", _between(1, 65535)),
        "web_concurrency": read("WEB_CONCURRENCY", "2", _between(1, 64)),
        "workers": read("WORKERS", "1", _between(1, 64)),
        "database_pool": read("DATABASE_POOL", "20", _between(1, 200)),
        "lease_seconds": read("LEASE_SECONDS", "45", _between(1, 60)),
        "request_seconds": read("REQUEST_SECONDS", "60", _between(1, 3600)),
    }


def _looks(read: Read) -> dict[str, Any]:
    log_format = "console" if sys.stderr.isatty() else "json"
    return {
        "country_header": read("COUNTRY_HEADER", "", _header_name),
        "cors_origins": read("CORS_ORIGINS", "", _origins),
        "log_level": read("LOG_LEVEL", "info", _one_of("debug", "info", "warning", "error")),
        "log_format": read("LOG_FORMAT", log_format, _one_of("console", "json")),
    }


def _kept_days(read: Read) -> dict[str, Any]:
    return {
        "keep_updates_days": read("KEEP_UPDATES_DAYS", "3", _between(2, 3650)),
        "keep_attempts_days": read("KEEP_ATTEMPTS_DAYS", "90", _days_from(14)),
        "keep_journal_days": read("KEEP_JOURNAL_DAYS", "0", _days_from(30)),
        "keep_clicks_days": read("KEEP_CLICKS_DAYS", "90", _between(7, 3650)),
    }


def _secret(text: str) -> str:
    if len(text) < 16:
        raise ValueError("is required and needs at least 16 characters: openssl rand -hex 32")
    return text


def _secrets(text: str) -> tuple[str, ...]:
    if any(len(key) < 16 for key in text.split()):
        raise ValueError("holds keys of at least 16 characters, with a space between them")
    parts = [part for part in re.split(r"[\s,]+", text) if len(part) >= 16]
    return tuple(dict.fromkeys(parts + text.split()))  # a key may have a comma in it


def _base_url(url: str) -> str:
    if not url:
        return ""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an http or https address with a host")
    if parts.query or parts.fragment or parts.username is not None:
        raise ValueError("must not carry user-info, a query or a fragment")
    host, port = url_spelling.split(url)
    url_spelling.check_host(host.lower(), port)
    return url.rstrip("/")


def _token(text: str) -> str:
    if text and not re.fullmatch(r"\d+:[A-Za-z0-9_-]+", text):
        raise ValueError("is not a bot token, which looks like 123456:ABC-def")
    return text


def _opened(text: str) -> tuple[Opened, ...]:
    return tuple(_opened_part(part.strip()) for part in text.split(",") if part.strip())


def _opened_part(text: str) -> Opened:
    """A network, `10.1.0.0/16:8080` or `[fd00::/8]:8080`. Raises ValueError."""
    match = re.fullmatch(r"(?:\[(?P<v6>[^\]]+)\]|(?P<v4>[0-9./]+))(?::(?P<port>[0-9]{1,5}))?", text)
    if match is None:
        return ipaddress.ip_network(text)
    network = ipaddress.ip_network(match["v6"] or match["v4"])
    if match["port"] is None:
        return network
    if not 0 < int(match["port"]) < 65536:
        raise ValueError(f"{text} has no port from 1 to 65535")
    return NetworkPort(network, int(match["port"]))


def _proxies(text: str) -> tuple[Network, ...]:
    parts = [] if text.lower() == "none" else text.split(",")
    return tuple(ipaddress.ip_network(part.strip()) for part in parts if part.strip())


def _media_store(url: str) -> str:
    if not url:
        return ""
    parts = urlsplit(url)
    if parts.scheme != "s3" or not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", parts.netloc):
        raise ValueError("must be like s3://bucket/folder?region=…&endpoint=https://…")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := set(options) - {"region", "endpoint"}:
        raise ValueError(f"takes region and endpoint, not {', '.join(sorted(unknown))}")
    if "endpoint" in options and not _base_url(options["endpoint"]):
        raise ValueError("endpoint must be an http or https address with a host")
    if find_spec("boto3") is None:
        raise ValueError("needs the library boto3; install gatepost[s3]")
    return url


def _folder(text: str) -> str:
    if text and not Path(text).is_dir():
        raise ValueError("is no folder")
    return text


def _origins(text: str) -> tuple[str, ...]:
    origins = tuple(part.strip() for part in text.split(",") if part.strip())
    for origin in origins:
        if not re.fullmatch(r"https?://[a-z0-9.-]+(?::[0-9]{1,5})?", origin):
            raise ValueError(f"{origin} is no origin, such as https://panel.example.com")
    return origins


def _header_name(text: str) -> str:
    if text and not re.fullmatch(r"[A-Za-z0-9-]{1,64}", text):
        raise ValueError("must be the name of a header, such as CF-IPCountry")
    return text


def _json_object(text: str) -> str:
    try:
        is_object = isinstance(json.loads(text), dict)
    except ValueError:
        is_object = False
    if not is_object:
        raise ValueError('must be a JSON object, such as {"url": "https://…"}')
    return text


def _between(low: int, high: int, other: str = "") -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}{other}")
        return int(text)

    return parse


def _days_from(low: int) -> Callable[[str], int]:
    return lambda text: 0 if text == "0" else _between(low, 3650, ", or 0 for ever")(text)


def _one_of(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return text.lower()

    return parse
