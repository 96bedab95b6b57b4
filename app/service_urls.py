"""Addresses of the database and of Redis, judged whole before anything connects.

Add-ons and other languages' drivers append parameters that ours do not know.
Where the meaning is plain it is translated; everything else is refused in one
sentence that names the parameter, instead of a traceback at the first query.
"""

import contextlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

import psycopg

from plugins.kit import url_spelling

MAX_PORT: Final = 65_535
#: https://core.telegram.org/bots/api#setwebhook
WEBHOOK_PORTS: Final = (443, 80, 88, 8443)
#: https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION
SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
CERTIFICATE_RULES: Final = ("none", "optional", "required")
REDIS_OPTIONS: Final = frozenset(
    "db socket_timeout socket_connect_timeout socket_keepalive health_check_interval"
    " client_name ssl_cert_reqs ssl_ca_certs ssl_ca_path ssl_certfile ssl_keyfile"
    " ssl_check_hostname".split()
)
_ONLY_TCP: Final = frozenset(("socket_keepalive",))
#: A name, an IPv4 or an IPv6 address, with its zone.
_HOST: Final = re.compile(r"[^\W_](?:[\w.-]*\w)?\.?|[0-9A-Fa-f:.]+(?:%[\w.-]+)?")
_TRUE: Final = ("true", "1", "on", "yes")
_FALSE: Final = ("false", "0", "off", "no")
_WHOLE: Final = re.compile(r"[0-9]{1,6}")
#: More than 0: redis-py takes 0 for a socket that never waits.
_SECONDS: Final = re.compile(r"(?![0.]+\Z)[0-9]{1,6}(\.[0-9]{1,3})?")
#: Parameters of libpq that are whole numbers, and those that are one of some words.
_DATABASE_NUMBERS: Final = (
    "connect_timeout keepalives keepalives_idle keepalives_interval keepalives_count"
    " tcp_user_timeout".split()
)
_DATABASE_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "channel_binding": ("disable", "prefer", "require"),
    "gssencmode": ("disable", "prefer", "require"),
    "target_session_attrs": ("any", "read-write", "primary"),  # the others take no writes
}  # fmt: skip
#: Parameters that name a file; libpq and redis-py say only at the first connection that it is
#: not there. `system` stands for the certificates of the machine.
_DATABASE_FILES: Final = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
_REDIS_FILES: Final = ("ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile")
_REDIS_NUMBERS: Final[Mapping[str, tuple[re.Pattern[str], str]]] = {
    "socket_timeout": (_SECONDS, "a number above 0"),
    "socket_connect_timeout": (_SECONDS, "a number above 0"),
    "health_check_interval": (_WHOLE, "a number"),
    "db": (_WHOLE, "a number"),
}
_REDIS_FLAGS: Final = ("socket_keepalive", "ssl_check_hostname")


def database_url(text: str) -> str:
    """Return the SQLAlchemy URL of the database; a SQLite path becomes absolute.

    Raises ValueError with a sentence for the operator.
    """
    if text.startswith("sqlite:///"):  # relative to where we run, not to Flask's instance folder
        path = text.removeprefix("sqlite:///")
        if "?" in path:
            raise ValueError("a SQLite address takes no parameters")
        if path in ("", ":memory:") or path.endswith("/"):
            raise ValueError("names no file: sqlite:///var/gatepost.db")
        if path.startswith("~"):
            raise ValueError("begins with ~, which only a shell understands: write the whole path")
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
        raise ValueError(
            "is required, such as redis://localhost:6379; for what `make run` keeps in var/,"
            " type `python -m app.local.command` instead of `flask --app wsgi`"
        )
    if not text.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("must start with redis://, rediss:// or unix://")
    parts = _split(text)
    options = _redis_options(_options(parts))
    if parts.scheme == "unix":
        _check_socket(parts, options)
    elif not re.fullmatch(r"/?\d*", parts.path):
        raise ValueError("must end with the number of a database, such as redis://host:6379/0")
    else:
        _check_host(parts.hostname or "localhost")
    if parts.scheme != "rediss" and any(name.startswith("ssl_") for name in options):
        raise ValueError("has ssl parameters, which need rediss://")
    query = f"?{urlencode(options)}" if options else ""
    return f"{parts.scheme}://{parts.netloc}{parts.path}{query}"


def _split(text: str) -> SplitResult:
    if "%00" in text:  # drivers written in C would end the text there
        raise ValueError("has a %00 in it, which ends the text")
    parts = urlsplit(text)
    if parts.fragment:
        raise ValueError("has a # in it: write %23 where a password has one")
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0 or parts.netloc.endswith(":"):
        raise ValueError(f"has a port that is no number from 1 to 65535{_port_advice(parts, text)}")
    return parts


def _port_advice(parts: SplitResult, text: str) -> str:
    """What a wrong port most likely is: a list of hosts, or a password that ended the host."""
    if "," in parts.netloc.rpartition("@")[2]:
        return ": name one host, such as an address that follows the primary"
    if "@" not in parts.netloc and "@" in text:
        return ": write %2F for a / and %3F for a ? in a password"
    return ""


def _check_host(host: str) -> None:
    """Raise ValueError for what is no one host: redis-py would look for a host of that name."""
    if not _HOST.fullmatch(host):
        raise ValueError(f"names {host!r}, which is no one host: redis://host:6379/0")


def _check_socket(parts: SplitResult, options: Mapping[str, str]) -> None:
    if parts.hostname or len(parts.path) < 2:
        raise ValueError("names no socket: unix:///run/redis.sock?db=0")
    is_another = False
    with contextlib.suppress(OSError):  # a name that is too long, say
        is_another = Path(parts.path).exists() and not Path(parts.path).is_socket()
    if is_another:
        raise ValueError(f"names {parts.path}, which is no socket")
    if wrong := sorted(set(options) & _ONLY_TCP):
        raise ValueError(f"has the parameter {wrong[0]}, which a socket does not take")


def _options(parts: SplitResult) -> dict[str, str]:
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    options = dict(pairs)
    if twice := [name for name in options if sum(name == other for other, _ in pairs) > 1]:
        raise ValueError(f"has the parameter {twice[0]} twice")
    return options


def _database_options(options: Mapping[str, str]) -> dict[str, str]:
    keywords = {keyword.keyword.decode() for keyword in psycopg.pq.Conninfo.get_defaults()}
    checked: dict[str, str] = {}
    for name, value in options.items():
        if name in _TRANSLATED:
            # What PostgreSQL's own words ask for, such as sslmode=verify-full, stays.
            checked = _TRANSLATED[name](value) | checked
        elif name not in keywords:
            raise ValueError(f"has the parameter {name}, which PostgreSQL's driver does not know")
        else:
            checked[name] = value  # over what a translated name gave before it
    mode = checked.get("sslmode", "prefer")
    if mode == "no-verify":
        raise ValueError(
            "sslmode=no-verify is not PostgreSQL's; sslmode=require encrypts"
            " and does not check the certificate"
        )
    if mode not in SSL_MODES:
        raise ValueError(f"sslmode must be one of {', '.join(SSL_MODES)}")
    _check_database_values(checked)
    return checked


def _check_database_values(options: Mapping[str, str]) -> None:
    if options.get("client_encoding", "utf8").casefold().replace("-", "") != "utf8":
        raise ValueError("client_encoding must be UTF8: no other holds what people write")
    if options.get("replication", "false") not in ("false", "off", "no", "0"):
        raise ValueError("replication is for copies of the server, not for applications")
    if "port" in options and not 1 <= int(_number(options["port"])) <= MAX_PORT:
        raise ValueError("has a port that is no number from 1 to 65535")
    _check_files(options, _DATABASE_FILES)
    for name in _DATABASE_NUMBERS:
        if name in options and not _WHOLE.fullmatch(options[name]):
            raise ValueError(f"{name} must be a whole number")
    for name, words in _DATABASE_WORDS.items():
        if name in options and options[name] not in words:
            raise ValueError(f"{name} must be one of {', '.join(words)}")


def _check_files(options: Mapping[str, str], names: Sequence[str]) -> None:
    for name in names:
        path = options.get(name, "")
        if path not in ("", "system") and not os.access(path, os.R_OK):
            raise ValueError(f"{name} names {path}, which cannot be read")


def _number(text: str) -> str:
    """The text if it is a whole number, else "0"."""
    return text if _WHOLE.fullmatch(text) else "0"


def _ssl(value: str) -> dict[str, str]:
    """`ssl=true`, as JDBC and Node write it."""
    if value.lower() not in (*_TRUE, *_FALSE):
        raise ValueError(f"ssl={value} is neither true nor false; sslmode=require encrypts")
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
    _check_files(checked, _REDIS_FILES)
    for name, (pattern, words) in _REDIS_NUMBERS.items():
        if name in checked and not pattern.fullmatch(checked[name]):
            raise ValueError(f"{name} must be {words}")
    if not re.fullmatch(r"[!-~]*", checked.get("client_name", "")):
        raise ValueError("client_name must be of visible ASCII characters without spaces")
    for name in _REDIS_FLAGS:
        if name in checked and checked[name].lower() not in (*_TRUE, *_FALSE):
            raise ValueError(f"{name} must be true or false")
    if "ssl_cert_reqs" in checked:
        rule = checked["ssl_cert_reqs"].lower().removeprefix("cert_")
        if rule not in CERTIFICATE_RULES:
            raise ValueError(f"ssl_cert_reqs must be one of {', '.join(CERTIFICATE_RULES)}")
        checked["ssl_cert_reqs"] = rule
    return checked


def webhook_base(public_url: str) -> str:
    """Return an address at which Telegram calls webhooks. Raises ValueError for another one."""
    host, port = url_spelling.split(public_url)
    if not public_url.lower().startswith("https:"):
        raise ValueError("must be https, Telegram calls no other webhook")
    if port not in WEBHOOK_PORTS:
        ports = ", ".join(map(str, WEBHOOK_PORTS))
        raise ValueError(f"Telegram calls webhooks at these ports only: {ports}")
    address = url_spelling.check_host(host.lower(), port)
    if url_spelling.is_internal_name(host) or (address and not address.is_global):
        raise ValueError(f"Telegram cannot reach {host} from the internet")
    return public_url
