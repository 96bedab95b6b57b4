"""Addresses of the database and of Redis, judged whole before anything connects.

Add-ons and other languages' drivers append parameters that ours do not know.
Where the meaning is plain it is translated; everything else is refused in one
sentence that names the parameter, instead of a traceback at the first query.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

import psycopg

#: https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION
SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
CERTIFICATE_RULES: Final = ("none", "optional", "required")
REDIS_OPTIONS: Final = frozenset(
    "db socket_timeout socket_connect_timeout socket_keepalive health_check_interval"
    " client_name ssl_cert_reqs ssl_ca_certs ssl_ca_path ssl_certfile ssl_keyfile"
    " ssl_check_hostname".split()
)
_TRUE: Final = ("true", "1", "on", "yes")


def database_url(text: str) -> str:
    """Return the SQLAlchemy URL of the database; a SQLite path becomes absolute.

    Raises ValueError with a sentence for the operator.
    """
    if text.startswith("sqlite:///"):  # relative to where we run, not to Flask's instance folder
        path = text.removeprefix("sqlite:///")
        if "?" in path:
            raise ValueError("a SQLite address takes no parameters")
        return "sqlite:///" + str(Path(path).absolute())
    if not re.match(r"postgres(ql)?(\+psycopg)?://", text):
        raise ValueError("must start with postgresql:// or sqlite:///")
    parts = _split(text)
    options = _database_options(_options(parts))
    if not parts.hostname and "host" not in options:
        raise ValueError("names no host: postgresql://user:password@host:5432/database")
    if not parts.path.strip("/") and "dbname" not in options:
        raise ValueError("names no database: postgresql://user:password@host:5432/database")
    query = f"?{urlencode(options)}" if options else ""
    return f"postgresql+psycopg://{parts.netloc}{parts.path}{query}"


def redis_url(text: str) -> str:
    """Return the address of Redis as redis-py takes it.

    Raises ValueError with a sentence for the operator.
    """
    if not text:
        raise ValueError("is required, such as redis://localhost:6379 (make run brings its own)")
    if not text.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("must start with redis://, rediss:// or unix://")
    parts = _split(text)
    options = _redis_options(_options(parts))
    if parts.scheme != "unix" and not re.fullmatch(r"/?\d*", parts.path):
        raise ValueError("must end with the number of a database, such as redis://host:6379/0")
    if parts.scheme != "rediss" and any(name.startswith("ssl_") for name in options):
        raise ValueError("has ssl parameters, which need rediss://")
    query = f"?{urlencode(options)}" if options else ""
    return f"{parts.scheme}://{parts.netloc}{parts.path}{query}"


def _split(text: str) -> SplitResult:
    parts = urlsplit(text)
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError("has a port that is no number from 1 to 65535")
    if parts.fragment:
        raise ValueError("has a # in it: write %23 where a password has one")
    return parts


def _options(parts: SplitResult) -> dict[str, str]:
    return dict(parse_qsl(parts.query, keep_blank_values=True))


def _database_options(options: Mapping[str, str]) -> dict[str, str]:
    known = {keyword.keyword.decode() for keyword in psycopg.pq.Conninfo.get_defaults()}
    checked: dict[str, str] = {}
    for name, value in options.items():
        if name in _TRANSLATED:
            checked |= _TRANSLATED[name](value)
        elif name not in known:
            raise ValueError(f"has the parameter {name}, which PostgreSQL's driver does not know")
        else:
            checked[name] = value
    mode = checked.get("sslmode", "prefer")
    if mode == "no-verify":
        raise ValueError(
            "sslmode=no-verify is not PostgreSQL's; sslmode=require encrypts"
            " and does not check the certificate"
        )
    if mode not in SSL_MODES:
        raise ValueError(f"sslmode must be one of {', '.join(SSL_MODES)}")
    return checked


def _ssl(value: str) -> dict[str, str]:
    """`ssl=true`, as JDBC and Node write it."""
    return {"sslmode": "require"} if value.lower() in _TRUE else {}


def _schema(value: str) -> dict[str, str]:
    """`schema=public`, as Prisma writes it, says what is so anyway."""
    if value != "public":
        raise ValueError(f"schema={value}: Gatepost's tables stand in the schema public")
    return {}


def _nothing(_value: str) -> dict[str, str]:
    """`pgbouncer=true`, as Prisma writes it: a pooler is recognised without it."""
    return {}


_TRANSLATED: Final[Mapping[str, Callable[[str], dict[str, str]]]] = {
    "ssl": _ssl,
    "schema": _schema,
    "pgbouncer": _nothing,
}


def _redis_options(options: Mapping[str, str]) -> dict[str, str]:
    checked = dict(options)
    if unknown := sorted(set(checked) - REDIS_OPTIONS):
        raise ValueError(f"has the parameter {unknown[0]}, which is not known")
    for name in ("socket_timeout", "socket_connect_timeout", "health_check_interval", "db"):
        if name in checked and not re.fullmatch(r"\d{1,6}(\.\d{1,3})?", checked[name]):
            raise ValueError(f"{name} must be a number")
    if "ssl_cert_reqs" in checked:
        rule = checked["ssl_cert_reqs"].lower().removeprefix("cert_")
        if rule not in CERTIFICATE_RULES:
            raise ValueError(f"ssl_cert_reqs must be one of {', '.join(CERTIFICATE_RULES)}")
        checked["ssl_cert_reqs"] = rule
    return checked
