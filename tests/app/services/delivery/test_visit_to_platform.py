"""From a landing page to an ad platform: visit, press, start, join, and what Meta hears of it."""

import ipaddress
import json
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import current_app

from app.extensions import db
from app.models import Source
from app.outbound.transport import Transport
from app.sandbox.serving import running
from app.sandbox.telegram import people
from app.sandbox.vendors import catalogue
from app.services.clicks import sites, sources
from app.services.delivery.loop import Delivery
from app.services.delivery.targets import DestinationResolver
from app.services.leads.erasure import erase

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
ORIGIN = "https://shop.example"
PHONE = {"User-Agent": "Mozilla/5.0 (Linux; Android 15) Mobile"}
TEMP = "0e984725-c51c-4bf4-9960-e1c80e27aba0"
FBCLID = "IwAR2_x-Y9"
FBP = "fb.1.1790000000000.123"
ANN = people.Person(101, username="ann")


class Way:
    """A visitor's way through one campaign, and Meta at its end."""

    def __init__(self, client: Any, stage: Any, double: Any) -> None:
        self._client, self.stage, self.double = client, stage, double
        source = sources.add(stage.account, campaign=stage.campaign, title="Reels").code
        self.source: str = source
        number = db.session.scalar(db.select(Source.id).where(Source.code == source))
        made = sites.add(stage.account, domains=["shop.example"], source=number, capture=15)
        self._site = made.site
        db.session.commit()

    def visit(self, **body: Any) -> None:
        """The landing page reports its visitor."""
        told = {"site": self._site, "tempId": TEMP, **body}
        answer = self._client.post(
            "/track/visit", data=json.dumps(told), headers={**PHONE, "Origin": ORIGIN}
        )
        assert answer.status_code == 200

    def press(self, query: str = "") -> str:
        """The visitor presses the link. Returns the payload of the start."""
        answer = self._client.get(f"/c/{self.source}?v={TEMP}{query}", headers=PHONE)
        assert answer.status_code == 302
        return parse_qs(urlsplit(answer.headers["Location"]).query)["start"][0]

    def join(self, payload: str) -> None:
        """The visitor starts the bot and joins the chat."""
        now, chat = int(time.time()), people.Chat(self.stage.chat)
        self.stage.play(people.start(ANN, payload, now), people.join(ANN, chat, now))

    def deliver(self) -> dict[str, Any]:
        """Send what is due. Returns what Meta counted, by the name of the event."""
        transport = Transport(allow=LOOPBACK)
        trackers = DestinationResolver(current_app.extensions["trackers"])
        Delivery(transport, trackers, lease_seconds=45).run(seconds=30)
        transport.close()
        db.session.commit()
        return {event["event_name"]: event for event in self.double.counted()}


@pytest.fixture
def way(client, api, account, make_stage, change_settings):
    change_settings(outbound_allow=LOOPBACK)
    stage = make_stage(owner=account)
    (vendor,) = (one for one in catalogue.every() if one.tracker == "meta_capi")
    with running(vendor.double) as url:
        api.post("dest/pause", id=stage.destination, pause=1)
        settings = vendor.settings(url)
        added = api.post(
            "dest/add", tracker="meta_capi", settings=settings, campaign=stage.campaign
        )
        assert added["status"] == "ok"
        yield Way(client, stage, vendor.double)


def test_a_visitor_who_joins_is_a_website_event_with_the_ids_of_their_browser(way):
    before = int(time.time())
    way.visit(href=f"{ORIGIN}/deal?fbclid={FBCLID}&utm_source=fb", fbp=FBP)
    way.join(way.press(f"&fbclid={FBCLID}"))
    heard = way.deliver()
    assert list(heard) == ["Contact", "Subscribe"]
    for event in heard.values():
        assert event["action_source"] == "website"
        assert event["event_source_url"] == f"{ORIGIN}/deal"
        browser = event["user_data"]
        assert browser["client_ip_address"] == "127.0.0.1"
        assert browser["client_user_agent"] == PHONE["User-Agent"]
        assert browser["fbp"] == FBP
        version, index, clicked, fbclid = browser["fbc"].split(".")
        assert (version, index, fbclid) == ("fb", "1", FBCLID)
        assert before * 1000 <= int(clicked) <= time.time() * 1000


def test_what_is_shown_of_it_has_neither_address_nor_browser(way, api):
    way.visit(href=f"{ORIGIN}/deal?fbclid={FBCLID}", fbp=FBP)
    way.join(way.press())
    way.deliver()
    for row in api.get("postbacks/list")["data"]:
        shown = json.dumps(api.get("postbacks/get", id=row["id"]))
        assert '127.0.0.1\\"' not in shown
        assert "Android 15" not in shown


def test_a_person_who_was_erased_while_postbacks_waited_is_told_to_nobody(way):
    way.visit(href=f"{ORIGIN}/deal?fbclid={FBCLID}", fbp=FBP)
    way.join(way.press())
    erase(way.stage.account, ANN.id)
    assert way.deliver() == {}
