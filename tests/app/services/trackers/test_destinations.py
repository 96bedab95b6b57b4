"""Trackers that a customer connects: bounded, changed by one caller at a time, and forgotten."""

import itertools
import json

import pytest
from marshmallow import ValidationError

from app.errors import BadParameter, NotFound, PlanLimit, TooManyRequests
from app.extensions import db
from app.models import CampaignStatus, Destination, DestinationStatus, Role
from app.services.accounts import rate_limits
from app.services.trackers import catalogue, destinations
from plugins.contract import EventKind

LITE = {"domain": "www.altercpa.red", "key": "42-abc"}


pytestmark = pytest.mark.usefixtures("no_own_network")


@pytest.fixture
def add(account):
    def add(**fields):
        return destinations.add(
            account.id, **{"tracker": "altercpa_lite", "settings": LITE, **fields}
        )

    return add


def stored(number: int) -> Destination:
    row = db.session.get_one(Destination, number, populate_existing=True)
    db.session.expunge(row)
    db.session.commit()
    return row


def ids(account, **filters):
    page = destinations.listed(account.id, **filters)
    return [row.destination.id for row in page.rows], page.total


def test_a_new_one_takes_all_events_but_those_switched_off(add):
    assert stored(add()).events == 2 ** len(EventKind) - 1
    row = stored(add(events={EventKind.TRASH: False, EventKind.WAIT: True}))
    assert row.events == 2 ** len(EventKind) - 1 - 2 ** list(EventKind).index(EventKind.TRASH)
    assert (row.role, row.status) == (Role.CONNECTED, DestinationStatus.ACTIVE)


def test_a_list_is_of_all_of_one_campaign_or_of_the_account_as_a_whole(account, world, add):
    campaign = world.campaign()
    shared, own = add(), add(campaign=campaign)
    assert ids(account) == ([own, shared], 2)
    assert ids(account, campaign=campaign) == ([own], 1)
    assert ids(account, campaign=0) == ([shared], 1)
    assert ids(account, before=own) == ([shared], 2)
    assert ids(account, limit=1, offset=1) == ([shared], 2)
    assert ids(account, until=1) == ids(account, since=2**40) == ([], 0)
    with pytest.raises(NotFound):
        ids(account, campaign=10**9)


def test_a_list_shows_settings_without_their_secrets(account, add):
    add()
    (row,) = destinations.listed(account.id).rows
    assert row.settings["key"] == "***"
    assert "42-abc" not in json.dumps(row.settings)


def test_a_look_and_a_change_count_as_what_they_take(account, add, monkeypatch):
    """All that an account may store takes seconds of the processor to show."""
    number, seconds = add(), itertools.count()
    monkeypatch.setattr(rate_limits.SETTINGS, "processor", lambda: float(next(seconds)))
    monkeypatch.setattr(rate_limits.SETTINGS, "clock", lambda: 1_800_000_000.0)
    destinations.listed(account.id)  # a second of it is worth 500 calls
    with pytest.raises(ValidationError):
        destinations.edit(account.id, number, settings={"domain": ""})
    for call in (
        lambda: destinations.listed(account.id),
        lambda: destinations.edit(account.id, number, title="x"),
    ):
        with pytest.raises(TooManyRequests):
            call()


@pytest.mark.parametrize("status", CampaignStatus)
def test_only_a_living_campaign_can_be_chosen(world, add, status):
    campaign, other = world.campaign(status=status), add()
    if status is CampaignStatus.DELETED:
        for choose in (lambda: add(campaign=campaign), lambda: edit(other, campaign=campaign)):
            with pytest.raises(NotFound):
                choose()
    else:
        assert stored(add(campaign=campaign)).campaign_id == campaign


def edit(number: int, **changes) -> None:
    destinations.edit(stored(number).account_id, number, **changes)


def test_a_change_of_settings_is_a_new_start_and_any_other_is_not(world, account):
    number = world.destination(
        tracker="altercpa_lite", settings=json.dumps(LITE), failures=9, blocked_until=4e9
    )
    edit(number, title="renamed", events={EventKind.WAIT: False})
    assert (stored(number).failures, stored(number).blocked_until) == (9, 4e9)
    edit(number, settings={"key": "7-new", "domain": "crm.example"})
    row = stored(number)
    assert (row.failures, row.blocked_until, row.title) == (0, 0.0, "renamed")
    assert json.loads(row.settings) == {"domain": "crm.example", "key": "7-new", "scheme": "https"}


def test_of_two_who_change_settings_at_once_the_second_is_refused(add, monkeypatch):
    number = add()
    usual = catalogue.ready

    def overtaken(adapter, raw):
        monkeypatch.setattr(catalogue, "ready", usual)
        edit(number, settings={**LITE, "key": "1-first"})
        return usual(adapter, raw)

    monkeypatch.setattr(catalogue, "ready", overtaken)
    with pytest.raises(BadParameter, match="changed by another call") as caught:
        edit(number, settings={**LITE, "key": "2-second"}, title="second")
    assert caught.value.field == "settings"
    db.session.rollback()
    row = stored(number)
    assert (json.loads(row.settings)["key"], row.title) == ("1-first", "")


def test_a_campaign_has_room_for_so_many_and_deleted_ones_take_none(add, world, monkeypatch):
    monkeypatch.setattr(destinations, "MAX_CONNECTED", 2)
    campaign = world.campaign()
    world.destination(role=Role.TEMPLATE, campaign_id=campaign)
    first, _ = add(campaign=campaign), add(campaign=campaign)
    with pytest.raises(PlanLimit, match="at most 2"):
        add(campaign=campaign)
    shared = add()
    with pytest.raises(PlanLimit):
        edit(shared, campaign=campaign)
    db.session.rollback()
    edit(first, campaign=campaign)  # it is there already
    destinations.remove(stored(first).account_id, first)
    edit(shared, campaign=campaign)
    assert stored(shared).campaign_id == campaign


def test_templates_are_paused_here_and_changed_elsewhere(account, world):
    number = world.destination(role=Role.TEMPLATE)
    for change in (
        lambda: destinations.edit(account.id, number, title="x"),
        lambda: destinations.remove(account.id, number),
    ):
        with pytest.raises(BadParameter) as caught:
            change()
        assert caught.value.field == "id"
        db.session.rollback()
    destinations.pause(account.id, number, paused=True)
    assert stored(number).status == DestinationStatus.PAUSED


def test_a_resumed_one_forgets_why_it_was_off(account, world):
    number = world.destination(
        status=DestinationStatus.OFF, reason="HTTP 410", failures=3, blocked_until=4e9
    )
    destinations.pause(account.id, number, paused=False)
    row = stored(number)
    assert (row.status, row.reason, row.failures, row.blocked_until) == (
        DestinationStatus.ACTIVE, "", 0, 0.0,
    )  # fmt: skip


def test_a_deleted_one_keeps_no_settings_and_is_found_by_nobody(account, add):
    number = add()
    destinations.remove(account.id, number)
    row = stored(number)
    assert (row.status, row.settings) == (DestinationStatus.DELETED, "{}")
    for act in (
        lambda: destinations.remove(account.id, number),
        lambda: destinations.pause(account.id, number, paused=True),
        lambda: destinations.ready_destination(account.id, number),
        lambda: destinations.edit(account.id, number, title="x"),
    ):
        with pytest.raises(NotFound):
            act()
        db.session.rollback()
    assert ids(account) == ([], 0)


def test_anothers_destination_is_not_found(other, add):
    number = add()
    with pytest.raises(NotFound):
        destinations.ready_destination(other.id, number)
    assert ids(other) == ([], 0)


def test_a_check_is_of_something(account):
    with pytest.raises(BadParameter) as caught:
        destinations.check(account.id)
    assert caught.value.field == "id"
