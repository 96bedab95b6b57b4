"""What adapters hear of the click that brought a person: what is still kept, and was asked for."""

import json
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

import pytest
from sqlalchemy import delete, event, update

from app.extensions import db
from app.models import Click, Destination, Postback, PostbackState, Source
from app.sandbox.telegram import people
from app.services.delivery.loop import Delivery
from app.services.delivery.targets import DestinationResolver
from app.services.leads.erasure import erase
from app.services.leads.send_at_once import process_and_send
from plugins.contract import TOUCH_FIELDS, EventKind, Outcome, Response, Verdict, hookimpl
from plugins.registry import make_adapter
from tests.support.adapters import PlainPlugin
from tests.support.delivery import Exchange, T, alter

ANN = people.Person(101, username="ann")
TOKEN = "a1B2c3D4e5F6g7H8"
FBCLID = "IwAR3_x-Y"
QUERY = "&".join(f"{name}={{{name}}}" for name in TOUCH_FIELDS)
BUSY = Response(503)


class Made(NamedTuple):
    """The click of a test, and its source."""

    id: int
    source: int


def ask(query: str = QUERY) -> None:
    urls = dict.fromkeys(map(str, EventKind), f"http://127.0.0.2/pb?status={{status}}&{query}")
    alter(Destination, settings=json.dumps({"urls": urls}))


@pytest.fixture
def click(stage):
    """A click of a source of the stage's campaign, with everything that can be kept."""
    source = Source(
        account_id=stage.account, campaign_id=stage.campaign, code="abcd1234", title="Reels",
        click_param="click", created=T,
    )  # fmt: skip
    db.session.add(source)
    db.session.flush()
    row = Click(
        account_id=stage.account, source_id=source.id, campaign_id=stage.campaign, token=TOKEN,
        created=T - 60, external="c-1", referrer="m.facebook.com/x", landing="https://shop.example/",
        ids=json.dumps({"fbclid": FBCLID, "fbp": "fb.1.1790000000000.77", "yclid": "900"}),
        utm=json.dumps({"source": "fb ads", "term": "a&b=c"}), subs=json.dumps({"sub10": "ten"}),
        ad=json.dumps({"campaign_id": "7", "ad_id": "9"}), country="DE", ip="203.0.113.7",
        ua="Browser/1.0",
    )  # fmt: skip
    db.session.add(row)
    db.session.flush()
    made = Made(row.id, source.id)
    db.session.commit()  # on SQLite even a transaction that only read is a lock
    ask()
    return made


def heard(exchange: Exchange) -> list[dict[str, str]]:
    """The values of each request that are not empty."""
    return [dict(parse_qsl(urlsplit(request.url).query)) for request in exchange.sent]


def watched() -> list[str]:
    """The statements that are executed from now on."""
    statements: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    return statements


def press(stage, person=ANN, token=TOKEN, at=T):
    stage.play(people.start(person, f"{stage.code}_{token}", at))


def test_a_template_gets_all_that_was_kept_of_the_click(stage, deliver, click):
    press(stage)
    exchange = Exchange()
    deliver(exchange)
    assert heard(exchange) == [
        {
            "status": "wait", "how": "start", "source": "abcd1234", "click_token": TOKEN,
            "click_time": str(T - 60), "landing": "https://shop.example/",
            "referrer": "m.facebook.com/x", "ip": "203.0.113.7", "ua": "Browser/1.0",
            "country": "DE", "utm_source": "fb ads", "utm_term": "a&b=c", "sub10": "ten",
            "ad_campaign_id": "7", "ad_id": "9", "fbclid": FBCLID,
            "fbc": f"fb.1.{(T - 60) * 1000}.{FBCLID}", "fbp": "fb.1.1790000000000.77",
            "yclid": "900",
        }
    ]  # fmt: skip


def test_who_sends_at_once_tells_the_same(stage, live_app, clock, click):
    exchange = Exchange()
    resolver = DestinationResolver(live_app.extensions["trackers"])
    delivery = Delivery(exchange, resolver, lease_seconds=45, clock=clock, rng=lambda: 0.5)
    stage.receive(people.start(ANN, f"{stage.code}_{TOKEN}", T))
    process_and_send(delivery, seconds=60, woken=lambda _seconds: False, clock=clock)
    assert [told["utm_source"] for told in heard(exchange)] == ["fb ads"]


def test_the_stored_event_holds_nothing_of_the_click_but_its_number(stage, click):
    press(stage)
    (postback,) = stage.postbacks()
    for text in (FBCLID, "203.0.113.7", "Browser", "fb ads", TOKEN, "abcd1234"):
        assert text not in postback.event
    assert json.loads(postback.event)["origin"][2] == click.id


def test_what_was_purged_while_a_postback_waited_is_told_to_nobody(stage, deliver, clock, click):
    press(stage)
    deliver(Exchange(BUSY))
    db.session.execute(update(Click).values(ip=None, ua=None))
    db.session.commit()
    again, last = Exchange(BUSY), Exchange()
    clock.now += 7200
    deliver(again)
    db.session.execute(delete(Click))
    db.session.commit()
    clock.now += 7200
    deliver(last)
    (first,), (second,) = heard(again), heard(last)
    assert ("ip" in first, "ua" in first, first["yclid"]) == (False, False, "900")
    assert second == {"status": "wait", "how": "start", "source": "abcd1234"}


def test_after_an_erasure_the_event_names_no_click(stage, deliver, click):
    press(stage)
    erase(stage.account, ANN.id)
    deliver(exchange := Exchange())
    (postback,) = stage.postbacks()
    assert (exchange.sent, postback.state) == ([], PostbackState.DISCARDED)
    assert json.loads(postback.event)["origin"][2] is None


def test_an_event_keeps_its_click_though_the_person_presses_another_ad(stage, deliver, click):
    press(stage)
    db.session.add(
        Click(
            account_id=stage.account, source_id=click.source, campaign_id=stage.campaign,
            token="z" * 16, created=T, utm='{"source": "other"}',
        )
    )  # fmt: skip
    db.session.commit()
    press(stage, token="z" * 16, at=T + 5)
    stage.play(people.join(ANN, people.Chat(stage.chat), T + 9))
    deliver(exchange := Exchange())
    told = [(told["status"], told["utm_source"]) for told in heard(exchange)]
    assert told == [("wait", "fb ads"), ("wait", "other"), ("approve", "other")]


@pytest.mark.parametrize("column", ["account_id", "source_id"])
def test_a_click_of_somebody_else_is_told_to_nobody(stage, deliver, click, column):
    press(stage)
    alter(Click, **{column: 987_654})
    deliver(exchange := Exchange())
    assert heard(exchange) == [{"status": "wait", "how": "start", "source": "abcd1234"}]


def test_what_a_lost_key_has_sealed_is_left_out(stage, deliver, click):
    press(stage)
    table = Click.__table__
    sealed = db.text("UPDATE click SET ip = 'gAAAAA-sealed-by-another-key' WHERE id = :id")
    db.session.execute(sealed, {"id": db.session.scalar(db.select(table.c.id))})
    db.session.commit()
    deliver(exchange := Exchange())
    (told,) = heard(exchange)
    assert ("ip" in told, told["ua"]) == (False, "Browser/1.0")


def test_a_start_with_a_click_of_its_own_tells_how_and_no_more(stage, deliver, click):
    stage.play(people.start(ANN, f"{stage.code}-raw", T))
    deliver(exchange := Exchange())
    assert heard(exchange) == [{"status": "wait", "how": "start"}]


def test_nothing_is_read_for_templates_that_ask_for_nothing(stage, live_app, clock, click):
    ask("c={click}")
    resolver = DestinationResolver(live_app.extensions["trackers"])
    delivery = Delivery(Exchange(), resolver, lease_seconds=45, clock=clock, rng=lambda: 0.5)
    press(stage)
    assert delivery.run(seconds=60) == 1  # from now on it is known what they ask for
    press(stage, people.Person(102))
    statements = watched()
    assert delivery.run(seconds=60) == 1
    assert [statement for statement in statements if "utm" in statement] == []


def test_many_postbacks_are_read_by_one_statement(stage, deliver, click):
    for number in range(5):
        press(stage, people.Person(200 + number), at=T + number)
    statements = watched()
    deliver(exchange := Exchange())
    assert len([statement for statement in statements if "utm" in statement]) == 1
    assert [told["utm_source"] for told in heard(exchange)] == ["fb ads"] * 5


class Curious(PlainPlugin):
    """Sends whatever it hears."""

    fields: tuple[str, ...] = ()

    @hookimpl
    def touch_fields(self):
        return self.fields

    @hookimpl
    def build_request(self, event):
        self.heard = dict(event.touch)
        return ()

    @hookimpl
    def classify_response(self):
        return Outcome(Verdict.DELIVERED)


@pytest.fixture
def curious(stage, live_app, monkeypatch):
    """The plugin behind the destination of the stage."""
    plugin = Curious()
    registry = live_app.extensions["trackers"]
    monkeypatch.setitem(registry._adapters, "curious", make_adapter("curious", plugin))
    alter(Destination, tracker="curious", settings="{}")
    return plugin


@pytest.mark.parametrize("told", [{}, {"country": "DE"}, {"ip": "203.0.113.7", "how": "start"}])
@pytest.mark.usefixtures("click")
def test_an_adapter_hears_what_it_asks_for_and_no_more(curious, stage, deliver, told):
    curious.fields = (*told, "gclid") if told else ()
    press(stage)
    deliver(Exchange())
    assert curious.heard == told


def test_the_report_of_a_join_by_a_forwarded_link_names_the_source_only(stage, deliver, click):
    stage.play(people.start(ANN, f"{stage.code}-raw", T))
    origin = json.dumps(
        {**json.loads(stage.postbacks()[0].event), "origin": [4, click.source, None]}
    )
    alter(Postback, event=origin)
    deliver(exchange := Exchange())
    assert heard(exchange) == [{"status": "wait", "how": "forwarded", "source": "abcd1234"}]
    assert stage.lead(ANN.id).click_id is None
