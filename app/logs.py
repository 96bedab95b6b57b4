"""Structured log lines, named noun.verb, that never show a secret.

Masking is the last step and works on the finished text, so it also covers
tracebacks, third parties' messages and whatever a caller put in by mistake.
"""

import json
import logging
import re
import sys
from typing import Any, Final, TextIO

import structlog

from app.config import Settings
from plugins.contract import mask as mask_known
from plugins.kit.secrets.names import IN_TEXT as SECRET_NAME_IN_TEXT
from plugins.kit.secrets.typed import secrets_of_url

MASK: Final = "***"

#: Libraries that tell every step at `info`; theirs is worth hearing from `warning`.
CHATTY: Final = ("alembic", "rq", "rq.worker", "urllib3", "werkzeug", "granian.access")

_MARK: Final = "gatepost"  # names our handler, so that configuring twice adds none

# No pattern here may begin with an open repetition: on a long line that costs the square
# of its length.

#: Headers end with a colon, as words of prose do, hence a list.
_HEADER: Final = (
    r"\b(?:(?:proxy-)?authorization|(?:set-)?cookie"
    r"|x-[\w-]{0,40}(?:token|key|secret)[\w-]{0,40})"
)

#: What a secret looks like → what stands there instead. The groups stay.
_SECRETS: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        # https://api.telegram.org/bot<token>/method, whatever the token's length.
        (r"(/bot)\d+(?::|%3a)[^/\s\"'?]+", rf"\1{MASK}"),
        # A bot token: digits, a colon, today 35 characters.
        (r"(?<![0-9])\d{3,20}(?::|%3a)(?=[0-9_-]*[a-z])[a-z0-9_-]{10,}", MASK),
        # Our API key, and not a date or a UUID: the account, then a long secret.
        (r"(?:(?<![\w-])|(?<=%[0-9a-f]{2})|(?<=\\[nrt]))(\d+)-[a-z0-9_-]{24,}", rf"\1-{MASK}"),
        (r"\b(bearer(?:\s+|%20|\+))[^\s\"',;\\]+", rf"\1{MASK}"),
        (rf"({_HEADER}(?:\\*[\"'])?\s*:\s*(?:\\*[\"'])?)[^\"'\r\n\\]+", rf"\1{MASK}"),
        # token=…, api_key='…', "secret": "…": queries, forms, reprs and JSON.
        (rf"({SECRET_NAME_IN_TEXT}(?:=|%3d)(?:\\*[\"'])?)[^\s&\"',;)}}\]\\]+", rf"\1{MASK}"),
        (rf"({SECRET_NAME_IN_TEXT}\\*[\"']\s*:\s*\\*[\"'])[^\"'\\]+", rf"\1{MASK}"),
        # Our own addresses whose path is a secret, and the path that urllib3 names without host.
        (r"(/(?:telegram|in|enter)/)[\w-]{16,64}", rf"\1{MASK}"),
        (r"(with url: )/[^\s\"']+", rf"\1/{MASK}"),
        # user:password@host in a URL.
        (r"(://[^\s/:@\"']{0,200}):[^\s/@\"']{1,500}@", rf"\1:{MASK}@"),
    )
)
#: An address in a line, also as JSON may write it, with \\/ for /.
_URL: Final = re.compile(r"\b(https?):(?:\\*/){2}(?:[^\s\"'<>\\`)\]},;]|\\+/)+", re.IGNORECASE)
_SECRET_NAME: Final = re.compile(SECRET_NAME_IN_TEXT, re.IGNORECASE)
#: What a screen does not show, or obeys: marks of direction above all, by which a name that a
#: stranger chose turns the rest of its line round, and the separators that some take for an end.
_UNSEEN: Final = re.compile(
    "[\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def mask(text: str) -> str:
    """Replace everything in `text` that looks like a secret, and what addresses hold."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return _URL.sub(_masked_url, text)


def _escaped(match: re.Match[str]) -> str:
    """A character as JSON may spell it; beyond the first plane, as its two halves."""
    return json.dumps(match[0])[1:-1]


def _masked_url(match: re.Match[str]) -> str:
    """An address with everything masked that is not known to be harmless."""
    url = re.sub(r"\\+/", "/", match[0])
    try:
        return mask_known(url, secrets_of_url(url))
    except ValueError:  # no address that could be called
        return f"{match[1]}://{MASK}"


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Log to `stream`, or standard error. Calling it again replaces the set-up."""
    stream = stream or sys.stderr
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
        _mask_fields,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.name = _MARK
    handler.setFormatter(
        _MaskingFormatter(shared, _last_steps(settings.log_format, colors=stream.isatty()))
    )
    _install(handler, settings.log_level.upper())


def _last_steps(log_format: str, *, colors: bool) -> list[Any]:
    if log_format == "json":
        return [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=repr),
        ]
    return [
        structlog.dev.ConsoleRenderer(
            colors=colors, exception_formatter=structlog.dev.plain_traceback
        )
    ]


def _mask_fields(_logger: Any, _method: str, fields: Any) -> Any:
    """A field is masked by its name here: a colour may part name and value later."""
    for name, value in fields.items():
        if value and isinstance(value, str) and _SECRET_NAME.search(name):
            fields[name] = MASK
    return fields


class _MaskingFormatter(structlog.stdlib.ProcessorFormatter):
    """Masks the finished line, whatever it was made of, and spells out what nobody would see."""

    def __init__(self, shared: list[Any], last: list[Any]) -> None:
        super().__init__(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )

    def format(self, record: logging.LogRecord) -> str:
        return _UNSEEN.sub(_escaped, mask(super().format(record)))


def _install(handler: logging.Handler, level: str) -> None:
    root = logging.getLogger()
    for installed in [*root.handlers]:
        if installed.name == _MARK:
            root.removeHandler(installed)
    root.addHandler(handler)
    root.setLevel(level)
    for name in CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
