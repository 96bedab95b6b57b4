"""Destinations: the trackers that a customer connects, `dest/*`."""

import json
import time
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import func, select

from app.errors import BadParameter, PlanLimit, translatable
from app.extensions import db, wakeup
from app.models import Campaign, Destination, DestinationStatus, Role
from app.queues import Queue
from app.services.accounts import accounts, quotas, rate_limits
from app.services.accounts.quotas import Quota
from app.services.lists import ownership
from app.services.lists.ownership import check_owned
from app.services.lists.pages import Page, fetch
from app.services.trackers import catalogue, connection_check, delivery_rates, stored_secrets
from app.services.trackers.catalogue import Ready
from app.services.trackers.delivery_rates import DeliveryRate
from app.services.trackers.url_templates import events_mask, warnings_of
from plugins.contract import ConversionKind, EventKind
from plugins.host.adapter import Adapter

#: Connected trackers that are not deleted, of one campaign or of the account as a whole.
MAX_CONNECTED: Final = 20


class ShownDestination(NamedTuple):
    """A destination with its settings as a customer may read them, and how it has fared."""

    destination: Destination
    settings: Mapping[str, Any]
    recent: DeliveryRate


def listed(
    account_id: int,
    *,
    campaign: int | None = None,
    since: int | None = None,
    until: int | None = None,
    limit: int = 50,
    offset: int = 0,
    before: int | None = None,
) -> Page[ShownDestination]:
    """Those not deleted, newest first, templates included. `campaign` 0: the account's own.

    Raises NotFound for a foreign campaign, or TooManyRequests.
    """
    with rate_limits.SETTINGS.hit_for_work(str(account_id)):
        check_owned(account_id, campaign=campaign or None)
        matching = select(Destination).where(
            Destination.account_id == account_id, Destination.status != DestinationStatus.DELETED
        )
        if campaign is not None:
            matching = matching.where(Destination.campaign_id == (campaign or None))
        if since is not None:
            matching = matching.where(Destination.created >= since)
        if until is not None:
            matching = matching.where(Destination.created <= until)
        page = fetch(matching, Destination.id, limit=limit, offset=offset, before=before)
        ids = [row.id for row in page.rows]
        fared = delivery_rates.of_trackers(account_id, ids, int(time.time())) if ids else {}
        rows = [ShownDestination(row, _shown(row), fared[row.id]) for row in page.rows]
    return Page(rows, page.total)


def add(
    account_id: int,
    *,
    tracker: str,
    settings: Mapping[str, Any],
    title: str = "",
    campaign: int = 0,
    events: Mapping[EventKind | ConversionKind, bool] | None = None,
) -> int:
    """Connect a tracker to `campaign`, or with 0 to all campaigns; returns the id.

    Raises ValidationError naming the setting, BadParameter, NotFound or PlanLimit.
    """
    adapter = catalogue.find(tracker)
    typed = stored_secrets.merge_secrets(settings, {}, adapter.secret_fields)
    ready = catalogue.ready(adapter, typed)
    accounts.lock(account_id)  # two at once must not both be the last one allowed
    _check_room(account_id, campaign)
    quotas.check(account_id, Quota.DESTINATIONS)
    row = Destination(
        account_id=account_id,
        campaign_id=campaign or None,
        role=Role.CONNECTED,
        tracker=tracker,
        title=title,
        settings=json.dumps(ready.settings),
        events=_switched(adapter, events_mask(adapter.kinds), events or {}),
        every_event=ready.every_event,
        created=int(time.time()),
    )
    db.session.add(row)
    db.session.flush()
    number = row.id
    db.session.commit()
    return number


def edit(
    account_id: int,
    destination_id: int,
    *,
    settings: Mapping[str, Any] | None = None,
    title: str | None = None,
    campaign: int | None = None,
    events: Mapping[EventKind | ConversionKind, bool] | None = None,
) -> list[str]:
    """Change what is not None. Secrets that are absent or read `***` stay as stored.

    Returns what will hardly work of `settings`. Raises as `add` does, or TooManyRequests.
    """
    with rate_limits.SETTINGS.hit_for_work(str(account_id)):
        before = _connected(_find(account_id, destination_id))
        was = before.settings
        ready = None if settings is None else _changed(before, settings)
        warnings = warnings_of(settings or {})
    accounts.lock(account_id)
    row = _connected(_locked(account_id, destination_id))
    if campaign is not None and (campaign or None) != row.campaign_id:
        _check_room(account_id, campaign)
        row.campaign_id = campaign or None
    if ready is not None:
        if row.settings != was:
            raise BadParameter("settings", translatable("changed by another call; try again"))
        row.settings, row.every_event = json.dumps(ready.settings), ready.every_event
        row.failures, row.blocked_until = 0, 0.0
    if title is not None:
        row.title = title
    if events:
        row.events = _switched(catalogue.find_or_none(row.tracker), row.events, events)
    db.session.commit()
    return warnings


def pause(account_id: int, destination_id: int, *, paused: bool) -> None:
    """Hold its postbacks back, or send them again with its failures reset. Raises NotFound."""
    row = _locked(account_id, destination_id)
    if paused:
        row.status = DestinationStatus.PAUSED
    else:
        row.status = DestinationStatus.ACTIVE
        row.reason, row.failures, row.blocked_until = "", 0, 0.0
    db.session.commit()
    wakeup.remind(Queue.POSTBACKS)


def remove(account_id: int, destination_id: int) -> None:
    """Delete a destination with its settings; its waiting postbacks are discarded.

    Raises NotFound, or BadParameter for templates.
    """
    row = _connected(_locked(account_id, destination_id))
    row.status = DestinationStatus.DELETED
    row.settings = "{}"
    db.session.commit()


def ready_destination(account_id: int, destination_id: int) -> Ready:
    """A destination's adapter and settings, to be tried outside the queue. Raises NotFound."""
    row = _find(account_id, destination_id)
    ready = Ready(catalogue.find(row.tracker), json.loads(row.settings), row.every_event)
    db.session.commit()
    return ready


def check(
    account_id: int,
    id: int | None = None,  # noqa: A002 - the parameter's public name
    tracker: str | None = None,
    settings: Mapping[str, Any] | None = None,
) -> connection_check.CheckResult:
    """Run the probe of a destination, or of a tracker with settings that are not stored.

    Raises as `add` does.
    """
    if id is not None:
        stored = ready_destination(account_id, id)
        return connection_check.check(stored.adapter, stored.settings)
    if tracker is None:
        raise BadParameter("id", translatable("give an id, or tracker with settings"))
    adapter = catalogue.find(tracker)
    typed = stored_secrets.merge_secrets(settings or {}, {}, adapter.secret_fields)
    return connection_check.check(adapter, catalogue.check(adapter, typed))


def _shown(row: Destination) -> dict[str, Any]:
    """Return the settings redacted; none while the adapter, which knows the secrets, is missing."""
    adapter = catalogue.find_or_none(row.tracker)
    settings = json.loads(row.settings)
    return stored_secrets.redacted(settings, adapter.secret_fields) if adapter else {}


def _changed(row: Destination, edited: Mapping[str, Any]) -> Ready:
    """Check the new settings, outside of a transaction, and return them."""
    adapter = catalogue.find(row.tracker)
    stored = json.loads(row.settings)
    db.session.commit()
    settings = stored_secrets.merge_secrets(edited, stored, adapter.secret_fields)
    ready = catalogue.ready(adapter, settings)
    if settings != edited:
        stored_secrets.require_same_hosts(adapter, stored, ready.settings)
    return ready


def _switched(
    adapter: Adapter | None, mask: int, events: Mapping[EventKind | ConversionKind, bool]
) -> int:
    """Return `mask` with `events` switched. Raises BadParameter for one that `adapter` lacks.

    An adapter that is missing for now cannot be asked.
    """
    for kind, on in events.items():
        if on and adapter and kind not in adapter.kinds:
            raise BadParameter(
                "events", translatable("this tracker is not told %(kind)s", kind=kind.value)
            )
        bit = events_mask([kind])
        mask = mask | bit if on else mask & ~bit
    return mask


def _check_room(account_id: int, campaign: int) -> None:
    if campaign:
        ownership.hold(Campaign, account_id, campaign, Campaign.living)
    count = select(func.count()).where(
        Destination.account_id == account_id,
        Destination.campaign_id == (campaign or None),
        Destination.role == Role.CONNECTED,
        Destination.status != DestinationStatus.DELETED,
    )
    if (db.session.scalar(count) or 0) >= MAX_CONNECTED:
        raise PlanLimit(
            translatable(
                "at most %(most)d trackers can be connected to one campaign or account",
                most=MAX_CONNECTED,
            )
        )


def _find(account_id: int, destination_id: int, *, locked: bool = False) -> Destination:
    is_living = Destination.status != DestinationStatus.DELETED
    return ownership.find(Destination, account_id, destination_id, is_living, locked=locked)


def _locked(account_id: int, destination_id: int) -> Destination:
    return _find(account_id, destination_id, locked=True)


def _connected(row: Destination) -> Destination:
    """Return `row`. Raises BadParameter for templates: other endpoints change those."""
    if row.role != Role.CONNECTED:
        raise BadParameter(
            "id", translatable("these are templates; use profile/postbacks or camp/edit")
        )
    return row
