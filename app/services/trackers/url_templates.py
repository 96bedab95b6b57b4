"""The five `pb_*` URLs of an account or of a campaign, kept as one Destination.

A campaign with any template of its own uses its own five; one without any
inherits the account's. So an emptied row is switched off, not deleted:
postbacks that wait for it must still find it. It revives when filled again.
"""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol, TypeVar

from flask import current_app
from marshmallow import ValidationError
from sqlalchemy import select

from app.errors import BadParameter, translatable
from app.extensions import db
from app.models import Destination, DestinationStatus, Role
from app.services.trackers import typed_addresses
from plugins.contract import ALL_KINDS, ConversionKind, EventKind
from plugins.kit import macros, spelling
from plugins.registry import Registry
from plugins.trackers.url_template.lint import NOTHING, Beside, read_beside, template_warnings

TRACKER: Final = "url_template"

#: Public parameter → the event it reports.
FIELDS: Final[Mapping[str, EventKind]] = {f"pb_{kind}": kind for kind in EventKind}


def events_mask(kinds: Iterable[EventKind | ConversionKind]) -> int:
    """The bits of `Destination.events` for `kinds`."""
    return sum(1 << ALL_KINDS.index(kind) for kind in set(kinds))


def read(account_id: int, campaign_id: int | None = None) -> dict[str, str]:
    """The five URLs by `pb_*` name, "" where there is none; nothing is inherited here."""
    row = _row(account_id, campaign_id)
    living = row is not None and row.status != DestinationStatus.DELETED
    urls = json.loads(row.settings)["urls"] if row and living else {}
    return {field: urls.get(kind, "") for field, kind in FIELDS.items()}


def checked(urls: Mapping[str, str]) -> dict[str, Any]:
    """Settings with the URLs of these `pb_*`, as `write` takes them.

    Long templates take their time, so check them before anything is locked. Raises BadParameter
    naming the `pb_*` that cannot be used.
    """
    settings = _checked({kind: urls.get(field, "") for field, kind in FIELDS.items()})
    ready = {str(kind): settings["urls"][kind] for field, kind in FIELDS.items() if field in urls}
    for field in urls.keys() & FIELDS.keys():
        _require_public(field, ready[FIELDS[field]])
    return {**settings, "urls": ready}


def write(
    account_id: int,
    campaign_id: int | None,
    settings: Mapping[str, Any],
    *,
    keeps_others: bool = False,
) -> None:
    """Replace all five URLs by those that `checked` has returned. No commit.

    Absent ones become empty, or with `keeps_others` stay. The caller has locked the account or
    the campaign.
    """
    before = read(account_id, campaign_id) if keeps_others else {}
    urls = {str(kind): before.get(field, "") for field, kind in FIELDS.items()} | settings["urls"]
    settings = {**settings, "urls": urls}
    filled = [kind for kind in EventKind if urls[kind]]
    row = _row(account_id, campaign_id)
    if row is None:
        if not filled:
            return
        row = Destination(
            account_id=account_id,
            campaign_id=campaign_id,
            role=Role.TEMPLATE,
            tracker=TRACKER,
            created=int(time.time()),
        )
        db.session.add(row)
    row.settings = json.dumps(settings)
    row.events = events_mask(filled)
    row.status = DestinationStatus.ACTIVE if filled else DestinationStatus.DELETED
    row.reason, row.failures, row.blocked_until = "", 0, 0.0


class _Scoped(Protocol):
    """What `in_force` reads of a destination."""

    @property
    def role(self) -> int: ...
    @property
    def campaign_id(self) -> int | None: ...


Scoped = TypeVar("Scoped", bound=_Scoped)


def in_force(rows: Sequence[Scoped]) -> list[Scoped]:
    """Choose the destinations that hear of a campaign's events.

    `rows` are those of the campaign and those of its whole account. All or nothing: one
    template of the campaign hides the account's five.
    """
    has_own = any(row.role == Role.TEMPLATE and row.campaign_id is not None for row in rows)
    return [
        row for row in rows if row.role != Role.TEMPLATE or (row.campaign_id is not None) is has_own
    ]


def warnings(urls: Mapping[str, str]) -> list[str]:
    """What will hardly work among URLs by `pb_*` name, each sentence once."""
    return _advice({field: (FIELDS[field], url) for field, url in urls.items()})


def template_advice(name: str, kind: EventKind | ConversionKind, url: str) -> list[str]:
    """Warn of one URL for events of `kind`; the sentences call it `name`."""
    return _advice({name: (kind, url)})


def warnings_of(settings: Mapping[str, Any]) -> list[str]:
    """Warn of a destination's accepted settings; the URLs of a preset are not looked at."""
    urls = settings.get("urls")
    if settings.get("preset") or not isinstance(urls, Mapping):
        return typed_addresses.settings_doubts(settings)
    words = settings.get("statuses") or {}
    templates = {
        f"urls.{kind}": (
            kind,
            (urls.get(kind) or "").replace("{status}", macros.in_query(words.get(kind) or kind)),
        )
        for kind in ALL_KINDS
    }
    beside = {name: value for name, value in settings.items() if name != "urls"}
    body = read_beside(json.dumps([settings.get("payload"), settings.get("headers")]))
    return [
        *_advice(templates, body),
        *typed_addresses.settings_doubts(beside),
    ]


def check_url(field: str, url: str) -> None:
    """Raise BadParameter for `field` unless `url` would do as a template; "" does."""
    try:
        _adapter_check({EventKind.WAIT: url})
    except ValidationError as error:
        raise BadParameter(field, _sentence(error.messages)) from error
    _require_public(field, url)


def _require_public(field: str, url: str) -> None:
    if fault := typed_addresses.public_fault(url):
        raise BadParameter(field, fault)


def _advice(
    templates: Mapping[str, tuple[EventKind | ConversionKind, str]], beside: Beside = NOTHING
) -> list[str]:
    names_by_sentence: dict[str, list[str]] = {}
    for name, (kind, url) in templates.items():
        doubts = [
            typed_addresses.host_doubt(url),
            spelling.blank_doubt(url.strip()),
            spelling.separator_doubt(url),
        ]
        if isinstance(kind, EventKind):
            doubts += spelling.empty_macros(url)
        for sentence in [*template_warnings(kind, url.strip(), beside), *filter(None, doubts)]:
            names_by_sentence.setdefault(sentence, []).append(name)
    return [
        translatable("%(name)s: %(doubt)s", name=", ".join(names), doubt=sentence)
        for sentence, names in names_by_sentence.items()
    ]


def _checked(urls: Mapping[EventKind, str]) -> dict[str, Any]:
    try:
        return _adapter_check(urls)
    except ValidationError as error:
        raise _named(error) from error


def _adapter_check(urls: Mapping[EventKind, str]) -> dict[str, Any]:
    trackers: Registry = current_app.extensions["trackers"]
    raw = {"urls": {str(kind): url for kind, url in urls.items()}, "method": "GET"}
    return trackers.get(TRACKER).check_settings(raw)


def _named(error: ValidationError) -> BadParameter:
    """Turn the adapter's error, which names events, into one that names a `pb_*`."""
    faults = error.messages_dict.get("urls", {})
    for field, kind in FIELDS.items():
        if isinstance(faults, dict) and kind in faults:
            return BadParameter(field, _sentence(faults[kind]))
    why = translatable("the templates cannot be used: %(why)s", why=_sentence(faults))
    return BadParameter("pb_wait", why)


def _sentence(messages: object) -> str:
    while isinstance(messages, dict | list) and messages:
        messages = next(iter(messages.values() if isinstance(messages, dict) else messages))
    return str(messages)


def _row(account_id: int, campaign_id: int | None) -> Destination | None:
    return db.session.scalar(
        select(Destination).where(
            Destination.account_id == account_id,
            Destination.campaign_id == campaign_id,
            Destination.role == Role.TEMPLATE,
        )
    )
