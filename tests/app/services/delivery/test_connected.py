"""What a connected tracker is promised, of every kind: from Telegram's door to its receipts."""

import ipaddress
import itertools
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask import current_app
from standardwebhooks import Webhook

from app.crypto import cipher
from app.extensions import db
from app.models import Bot
from app.outbound.transport import Transport
from app.sandbox.serving import running
from app.sandbox.telegram import people
from app.sandbox.telegram.faults import Manner
from app.sandbox.vendors import catalogue
from app.sandbox.vendors.vendor import Reply
from app.services import postbacks
from app.services.delivery.loop import Delivery
from app.services.delivery.targets import DestinationResolver
from app.services.leads import process
from app.web.telegram_webhook import TELEGRAM_HEADER
from plugins.registry import BUILT_INS
from tests.support.connected import PATH, ROWS, Row

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
DAY = 86_400
ANN = people.Person(101, username="ann")
BOB = people.Person(102)
CID = people.Person(103)


class Road:
    """One tracker, connected over the API to one campaign, and the way there."""

    def __init__(
        self,
        vendor: catalogue.Vendor,
        settings: dict[str, Any],
        *,
        client: Any,
        api: Any,
        stage: Any,
    ) -> None:
        self.api, self.stage, self.typed = api, stage, settings
        self.double: Any = vendor.double
        self.row: Row = ROWS[vendor.tracker]
        self.ahead = 0.0
        self._client, self._updates = client, itertools.count(1)
        bot = db.session.get_one(Bot, stage.bot)
        self._door = f"/telegram/{bot.webhook_path}"
        self._secret = {TELEGRAM_HEADER: cipher.webhook_secret(bot.webhook_path)}
        api.post("dest/pause", id=stage.destination, pause=1)  # the templates
        added = api.post(
            "dest/add", tracker=vendor.tracker, settings=self.typed, campaign=stage.campaign
        )
        self.dest = added["data"]["id"]
        self._transport = Transport(allow=LOOPBACK)
        self._delivery = Delivery(
            self._transport,
            DestinationResolver(current_app.extensions["trackers"]),
            lease_seconds=45,
            clock=self.now,
            rng=lambda: 0.5,
        )

    def close(self) -> None:
        self._transport.close()

    def now(self) -> float:
        return time.time() + self.ahead

    def start(self, person: people.Person, click: str, date: float | None = None) -> None:
        """Someone presses Start on a link of the campaign."""
        self.receive(people.start(person, f"{self.stage.code}-{click}", int(date or self.now())))

    def receive(self, update: dict[str, Any]) -> None:
        """Telegram brings an update, and the worker does all that is due."""
        told = json.dumps({**update, "update_id": next(self._updates)})
        answer = self._client.post(self._door, data=told, headers=self._secret)
        assert (answer.status_code, answer.data) == (200, b"")
        process.process_updates(seconds=60)
        self.deliver()

    def deliver(self, ahead: float = 0.0) -> None:
        """Do what is due, `ahead` seconds from now."""
        self.ahead = ahead
        self._delivery.run(seconds=30)
        db.session.commit()

    def told(self) -> list[dict[str, Any]]:
        """Each postback with its receipts, oldest first, as the API tells."""
        rows = self.api.get("postbacks/list", dest=self.dest)["data"]
        return [self.api.get("postbacks/get", id=row["id"])["data"] for row in rows[::-1]]

    def standing(self) -> dict[str, Any]:
        """The destination as `dest/list` shows it."""
        found: dict[str, Any] = next(
            one for one in self.api.get("dest/list")["data"] if one["id"] == self.dest
        )
        return found


@pytest.fixture(params=ROWS)
def tracker(request: pytest.FixtureRequest) -> str:
    """Each kind of tracker in turn."""
    return str(request.param)


@pytest.fixture
def stage(live_app: Any, account: Any, make_stage: Any, change_settings: Any) -> Any:
    """A campaign of the account whose key `api` has; loopback may be reached."""
    change_settings(outbound_allow=LOOPBACK)
    return make_stage(owner=account)


@pytest.fixture
def road(tracker: str, stage: Any, client: Any, api: Any) -> Iterator[Road]:
    """The kind of tracker that the test is about, connected."""
    (vendor,) = (one for one in catalogue.every() if one.tracker == tracker)
    with running(vendor.double) as url:
        made = Road(vendor, vendor.settings(url), client=client, api=api, stage=stage)
        if hasattr(vendor.double, "clock"):
            vendor.double.clock = made.now
        yield made
        made.close()


def test_every_built_in_adapter_has_its_row():
    assert set(ROWS) == set(BUILT_INS)
    assert [one.tracker for one in catalogue.every()] == list(ROWS)


def test_each_of_the_five_events_arrives_and_shows_its_receipt(road: Road):
    now, chat = int(time.time()) - 100, people.Chat(road.stage.chat, "x", "supergroup")
    road.start(ANN, "c1", now)
    road.receive(people.join_request(ANN, chat, now + 1))
    road.receive(people.join(ANN, chat, now + 2))
    road.receive(people.leave(ANN, chat, now + 3))
    road.start(BOB, "c2", now + 4)
    road.receive(people.join(BOB, chat, now + 5))
    road.receive(people.kick(BOB, chat, now + 6))
    assert road.row.heard(road.double) == road.row.expected()
    told = road.told()
    assert tuple(one["event"] for one in told) == PATH
    assert {one["state"] for one in told} == {"delivered"}
    for attempt in itertools.chain.from_iterable(one["attempts"] for one in told):
        assert (attempt["verdict"], attempt["number"]) == ("delivered", 1)
        assert 200 <= attempt["status"] < 300
    assert all(road.row.receipt in one["attempts"][-1]["reason"] for one in told)
    assert _secret(road) not in json.dumps([told, road.standing()])


@pytest.mark.parametrize("fault", ["refused", "lost answer"])
def test_what_fails_is_tried_again_under_the_same_key_and_counts_once(road: Road, fault: str):
    row = road.row
    road.double.order(row.fault if fault == "refused" else Manner.RESET, path=row.step)
    road.start(ANN, "c1")
    (told,) = road.told()
    assert (told["state"], told["tries"]) == ("waiting", 1)
    assert told["attempts"][-1]["verdict"] == "retry"
    assert told["attempts"][-1]["reason"]
    road.deliver(ahead=10)
    (told,) = road.told()
    assert (told["state"], told["tries"]) == ("delivered", 2)
    assert told["attempts"][-1]["verdict"] in ("delivered", "duplicate")
    first, second = road.double.calls(row.step)
    assert row.key(first) == row.key(second)
    assert len(row.heard(road.double)) == 1


def test_another_event_goes_under_another_key(road: Road):
    road.start(ANN, "c1")
    road.receive(people.join(ANN, people.Chat(road.stage.chat), int(time.time()) + 1))
    first, second = road.double.calls(road.row.step)
    assert road.row.key(first) != road.row.key(second)


def test_a_refused_key_parks_the_destination_until_the_owner_has_mended_it(road: Road):
    row = road.row
    row.accept(road.double, row.renewed)
    road.start(ANN, "c1")
    before = len(road.double.calls())
    standing = road.standing()
    assert (standing["status"], bool(standing["reason"])) == ("off", True)
    road.start(BOB, "c2")
    road.deliver(ahead=DAY)  # however long it takes, nothing is tried meanwhile
    assert len(road.double.calls()) == before
    assert [one["state"] for one in road.told()] == ["waiting", "waiting"]
    road.api.post("dest/edit", id=road.dest, settings=_renewed(road))
    road.api.post("dest/pause", id=road.dest, pause=0)
    road.deliver(ahead=DAY + 100)
    assert [one["state"] for one in road.told()] == ["delivered", "delivered"]
    assert row.heard(road.double) == [(who, row.words["wait"]) for who in row.people]


def test_an_owner_who_resumes_too_early_time_and_again_loses_nothing(road: Road):
    row = road.row
    row.accept(road.double, row.renewed)
    road.start(ANN, "c1")
    for number in range(1, 11):  # more often than an event is tried in all
        road.api.post("dest/pause", id=road.dest, pause=0)
        road.deliver(ahead=number * 1000)
        assert road.standing()["status"] == "off"
    assert len(road.double.calls()) == 11
    road.api.post("dest/edit", id=road.dest, settings=_renewed(road))
    road.api.post("dest/pause", id=road.dest, pause=0)
    road.deliver(ahead=DAY)
    assert [one["state"] for one in road.told()] == ["delivered"]


@pytest.mark.parametrize(
    ("tracker", "answer"),
    [
        (name, answer)
        for name, row in ROWS.items()
        for answer in (Reply(401, b"<html>Unauthorized</html>"), *row.parking)
    ],
)
def test_what_only_the_owner_can_mend_keeps_the_event(road: Road, answer: Any):
    road.double.order(answer, path=road.row.step)
    road.start(ANN, "c1")
    assert road.standing()["status"] == "off"
    road.api.post("dest/pause", id=road.dest, pause=0)
    road.deliver(ahead=DAY + 100)
    (told,) = road.told()
    assert [one["verdict"] for one in told["attempts"]][-2:] == ["retry", "delivered"]
    assert len(road.row.heard(road.double)) == 1


def test_what_is_too_old_for_the_platform_is_dropped_visibly_and_alone(road: Road):
    limit = road.row.days
    old = road.now() - ((limit or 400) * DAY + 3600)
    for person, click, date in ((ANN, "c1", None), (CID, "c3", old), (BOB, "c2", None)):
        road.start(person, click, date)
    if limit is None:
        assert {one["state"] for one in road.told()} == {"delivered"}
        return
    assert [one["state"] for one in road.told()] == ["delivered", "discarded", "delivered"]
    assert road.told()[1]["reason"] == "older than the tracker accepts"
    assert road.told()[1]["attempts"] == []
    word = road.row.words["wait"]
    assert road.row.heard(road.double) == [(who, word) for who in road.row.people]


def test_what_grows_too_old_while_it_waits_is_dropped_too(road: Road):
    limit = road.row.days
    road.double.order(road.row.fault, path=road.row.step)
    road.start(ANN, "c1", road.now() - (limit or 400) * DAY + 5)
    road.deliver(ahead=10)
    (told,) = road.told()
    assert told["state"] == ("delivered" if limit is None else "discarded")
    assert "retry" in [one["verdict"] for one in told["attempts"]]


def test_what_waited_for_a_deleted_destination_is_discarded(road: Road):
    road.double.order(road.row.fault)
    road.start(ANN, "c1")
    road.api.post("dest/del", id=road.dest)
    postbacks.sweep(db.session.connection(), time.time())
    db.session.commit()
    road.deliver(ahead=10)
    assert [one["state"] for one in road.told()] == ["discarded"]
    assert road.row.heard(road.double) == []


@pytest.mark.parametrize("tracker", ["altcraft"])
def test_of_two_steps_only_the_one_that_failed_is_repeated(road: Road):
    road.double.order(Manner.RESET, path="/goals/register")
    road.start(ANN, "c1")
    road.deliver(ahead=10)
    tried = [(one["step"], one["verdict"]) for one in road.told()[0]["attempts"]]
    assert tried == [("profile", "delivered"), ("goal", "retry"), ("goal", "duplicate")]


@pytest.mark.parametrize("tracker", ["webhook"])
def test_what_a_receiver_gets_verifies_by_its_own_library(road: Road):
    road.double.order(road.row.fault)
    road.start(ANN, "c1")
    road.deliver(ahead=10)
    first, second = road.double.calls()
    for call in (first, second):
        said = Webhook(catalogue.WEBHOOK_SECRET).verify(call.raw, dict(call.headers))
        assert said["type"] == "lead.wait"
    assert first.raw == second.raw
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


def _secret(road: Road) -> str:
    found: Any = road.typed
    for name in road.row.secret.split("."):
        found = found[name]
    return str(found)


def _renewed(road: Road) -> dict[str, Any]:
    """The settings as their owner types them anew, with the renewed secret."""
    text = json.dumps(road.typed).replace(_secret(road), road.row.renewed)
    renewed: dict[str, Any] = json.loads(text)
    return renewed
