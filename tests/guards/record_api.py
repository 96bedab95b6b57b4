"""Play through every endpoint over HTTP, and write down what was really said.

`python -m tests.guards.record_api` rewrites the second half of docs/api.md;
tests/guards/test_docs.py fails when that differs from what is said now. What
changes from run to run (keys, codes, ports, our clock) is written as it is
written in every run.
"""

from __future__ import annotations

import inspect
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import requests
from flask import Flask
from marshmallow import missing
from PIL import Image

from app import create_app
from app.config import Settings
from app.local import run
from app.sandbox.serving import running
from app.sandbox.telegram import people
from app.sandbox.telegram.people import Chat, Person, Update
from app.sandbox.telegram.server import BotApiDouble
from app.sandbox.vendors.altercpa import AltercpaDouble
from app.sandbox.vendors.tracker import TrackerDouble
from app.schemas import Input
from app.schemas import fields as ours
from tests.support import ROOT
from tests.support.payment_gateway import GatewayDouble
from tests.support.waiting import PATIENCE, free_port

DOCUMENT: Final = ROOT / "docs" / "api.md"
MARK: Final = "<!-- From here on written by `python -m tests.guards.record_api`. -->\n"

TOKEN: Final = "7000000001:AAF-example-token-of-a-bot"
BOT: Final = Person(7_000_000_001, "Flowers", username="flowers_bot", language="", is_bot=True)
CHAT: Final = Chat(-1001234567890, "Flower Deals")
BEN: Final = Person(987654322, "Ben", language="de")
ANN: Final = Person(987654321, "Ann", "Lee", "ann_lee", "en", premium=True)
OTHER_TOKEN: Final = "7000000002:AAG-example-token-of-another"
OTHER_BOT: Final = Person(7_000_000_002, "Other", username="other_bot", language="", is_bot=True)
SERVICE_TOKEN: Final = "7000000003:AAH-example-token-of-the-operator"
OWNER: Final = Person(5005, "Olga", username="olga")
NONCE: Final = "made-by-the-dashboard"
CRM_KEY: Final = "42-d3adb33f"
DATE: Final = 1_790_000_000  # of Telegram's, so the same in every run

#: Fields that hold our clock, a duration or chance, and what is written instead.
_VOLATILE: Final = {
    **dict.fromkeys(
        ("created", "due", "settled", "started", "ended", "next_try", "pressed", "last_seen"),
        "2026-09-21 14:13:21",
    ),
    "ms": 12,
    "scheme": "https",  # a domain that the operator has not opened is spoken to so
    "idempotency_key": "99220135-7696-55a9-910d-8757cfe4a403",
}
#: The same, of those names that mean something else where they hold no date.
_VOLATILE_DATES: Final = {"paid": "2026-09-21 14:13:21", "until": "2026-10-21 14:13:21"}
_NEVER: Final = "0000-00-00 00:00:00"
_SESSION: Final = re.compile(r"\bsess_[A-Za-z0-9_-]{16,}")
_MINUTE: Final = re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d UTC")
_SAMPLE: Final = re.compile(r"\btest-[0-9a-f]{12}\b")
_KEY: Final = re.compile(r"\b(\d+)-[A-Za-z0-9_-]{32}(?![A-Za-z0-9_-])")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer, as they were."""

    method: str
    path: str
    sent: dict[str, Any]
    answer: Any  #: parsed, or the text of what is no JSON
    remark: str

    @property
    def is_good(self) -> bool:
        """Whether this shows the endpoint at work."""
        return not isinstance(self.answer, dict) or self.answer.get("status") != "error"

    def text(self) -> str:
        """The exchange as people read it."""
        if self.method == "GET":
            query = urlencode(self.sent, safe="{}:/")
            lines = [f"GET {self.path}" + (f"?{query}" if query else "")]
        else:
            body = json.dumps(self.sent, ensure_ascii=False, indent=2) if self.sent else ""
            lines = [f"POST {self.path}", *filter(None, [body])]
        said = f"{self.remark}\n\n" if self.remark else ""
        kind, answer = "json", json.dumps(self.answer, ensure_ascii=False, indent=2)
        if isinstance(self.answer, str):
            kind, answer = "text", self.answer.strip().replace("\r\n", "\n")
        return f"{said}```http\n" + "\n".join(lines) + f"\n```\n\n```{kind}\n{answer}\n```\n"


class Recorder:
    """Calls the API, and keeps what is worth keeping."""

    def __init__(self, url: str, key: str, kept: list[Exchange] | None = None) -> None:
        self.kept: list[Exchange] = [] if kept is None else kept
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {key}"

    def as_someone_else(self, key: str) -> Recorder:
        """The same with another key."""
        return Recorder(self._url, key, self.kept)

    def get(self, path: str, /, remark: str = "", **query: Any) -> Any:
        """Read, and keep the exchange. Returns the answer's data."""
        return self._keep("GET", path, query, remark)

    def get_one(self, path: str, /, remark: str, key: str) -> None:
        """Read a list, and keep only the row of this `key`: the others are alike."""
        answer = self._call("GET", _full(path), {})
        answer["data"] = [row for row in answer["data"] if row["key"] == key]
        self.kept.append(Exchange("GET", _full(path), {}, answer, remark))

    def post(self, path: str, /, remark: str = "", **body: Any) -> Any:
        """Write, and keep the exchange. Returns the answer's data."""
        return self._keep("POST", path, body, remark)

    def until(self, path: str, holds: Callable[[Any], Any], **query: Any) -> Any:
        """Read again and again, keeping nothing, until the data is as wanted."""
        end = time.monotonic() + PATIENCE
        while not holds(found := self._call("GET", _full(path), query).get("data", [])):
            assert time.monotonic() < end, f"{path} never came to what was expected: {found}"
            time.sleep(0.05)
        return found

    def look(self, path: str, **query: Any) -> Any:
        """Read, keeping nothing. Returns the whole answer."""
        return self._call("GET", _full(path), query)

    def look_post(self, path: str, **body: Any) -> Any:
        """Write, keeping nothing. Returns the whole answer."""
        return self._call("POST", _full(path), body)

    def call(self, rule: str, /, remark: str = "", *, at: Any = (), **sent: Any) -> Any:
        """Call a path of AdTarget's, `at` the values of its parts, and keep the exchange."""
        path = re.sub("<.*?>", "{}", rule).format(*at)
        method = "GET" if rule.endswith("_id>") else "POST"
        answer = self._call(method, path, sent)
        self.kept.append(Exchange(method, rule, sent, answer, remark))
        return answer

    def upload(self, path: str, name: str, content: bytes) -> Any:
        """Send a file as a form does, and keep the exchange. Returns the answer's data."""
        answer = self._session.post(
            f"{self._url}{_full(path)}", files={"file": (name, content)}, timeout=120
        ).json()
        remark = "As `multipart/form-data`, the file in the field `file`:"
        self.kept.append(Exchange("POST", _full(path), {"file": name}, answer, remark))
        return answer["data"]

    def push(self, path: str, /, remark: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Send a finished body, as somebody without a key, and keep the exchange."""
        with requests.Session() as stranger:
            stranger.trust_env = False
            answer = stranger.post(f"{self._url}{path}", data=body, headers=headers, timeout=120)
        self.kept.append(Exchange("POST", path, json.loads(body), answer.json(), remark))

    def visit(self, path: str, status: int = 302, **query: str) -> None:
        """Open a link as a browser does, without following it."""
        headers = {"User-Agent": "Mozilla/5.0", "Authorization": ""}
        answer = self._session.get(
            f"{self._url}{path}", params=query, headers=headers, allow_redirects=False, timeout=120
        )
        assert answer.status_code == status, answer.text

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _keep(self, method: str, path: str, sent: dict[str, Any], remark: str) -> Any:
        answer = self._call(method, _full(path), sent)
        self.kept.append(Exchange(method, _full(path), sent, answer, remark))
        return answer.get("data") if isinstance(answer, dict) else answer

    def _call(self, method: str, path: str, sent: dict[str, Any]) -> Any:
        how = {"params": sent} if method == "GET" else {"json": sent}
        answer = self._session.request(method, f"{self._url}{path}", timeout=120, **how)  # type: ignore[arg-type]
        return answer.json() if "json" in answer.headers["Content-Type"] else answer.text


def _full(path: str) -> str:
    return path if path.startswith("/") else f"/api/{path}.json"


class Journey:
    """Every endpoint, in an order that makes sense to a reader."""

    def __init__(
        self, api: Recorder, other: Recorder, buyer: Recorder, *, bot_api: BotApiDouble,
        gateway: GatewayDouble, tracker_url: str, crm: dict[str, str],
    ) -> None:  # fmt: skip
        self._api = api
        self._other = other
        self._buyer = buyer
        self._gateway = gateway
        self._crm = crm
        self.spelling: dict[str, str] = {}  # what chance made, and what is written instead
        self._bot_api = bot_api
        self._postback = f"{tracker_url}/postback?cid={{click}}&status={{status}}"
        self.code = ""
        self.bot = 0

    def play(self) -> None:
        """All of it, once the service bot has taken its number."""
        _wait(lambda: self._bot_api.calls(SERVICE_TOKEN, "setWebhook"), "the service bot")
        self.profile()
        self.bots()
        self.campaigns()
        self.destinations()
        self.people()
        self.events()
        self.media()
        self.stats()
        self.forgetting()
        self.documents()
        self.sessions()
        self.transfer()
        self.tariffs()
        self.errors()
        self.farewell()

    def profile(self) -> None:
        """What an account sees and sets of itself."""
        api = self._api
        api.get("profile/info")
        api.post("profile/postbacks", pb_approve=self._postback)
        api.post("profile/notify", tariff=True, leads=False)
        api.post("profile/lang", lang="en")
        api.post("profile/zone", zone="Europe/Riga")
        api.post("profile/tracker", **self._crm)
        api.get("profile/tracker")

    def bots(self) -> None:
        """Connect one, and make it an administrator."""
        api = self._api
        self.bot = api.post("bots/add", token=TOKEN)["id"]
        self._happen(people.bot_rights(CHAT, True, DATE, bot=BOT))
        api.until("bots/chats", bool, id=self.bot)
        api.get("bots/list")
        api.get("bots/chats", id=self.bot)

    def campaigns(self) -> None:
        """Track its chat."""
        api = self._api
        made = api.post("camp/add", bot=self.bot, chat=CHAT.id, welcome="Welcome to *{title}*!")
        self.code = made["code"]
        self.spelling[self.code] = "k7f2qx"
        api.get("camp/list")
        five = {f"pb_{event}": self._postback for event in ("wait", "hold", "approve")}
        api.post("camp/edit", id=made["id"], unsub_window=604800, **five)
        api.get("camp/get", id=made["id"])
        api.get("camp/link", id=made["id"], click="c1", remark="For one click:")
        api.get("camp/link", id=made["id"], remark="For a tracker that fills in its own macro:")
        self.sources(made["id"])
        api.post("camp/pause", id=made["id"], pause=True)
        api.post("camp/pause", id=made["id"], pause=False)

    def sources(self, campaign: int) -> None:
        """A link for an ad, one visitor who went through it, and the link's end."""
        api = self._api
        sub_map = {"creative": "sub1"}
        made = api.post("sources/add", campaign=campaign, title="Reels, June", sub_map=sub_map)
        self.spelling[made["code"]] = "r8s2m0qa"
        kept = {"link_ttl": 172_800, "lookback": 604_800}
        api.post("sources/edit", id=made["id"], click_param="cid", **kept)
        link, *_ = api.get("sources/link", id=made["id"])
        self.spelling[link["link"].partition("/c/")[0]] = "https://gatepost.example"
        api.visit(f"/c/{made['code']}", cid="c-1", utm_source="fb", creative="red")
        (click,) = api.get("clicks/list", source=made["id"])
        self.spelling[click["token"]] = "p7ouI4GgoPzH0Qu4"
        api.get("clicks/get", id=click["id"])
        api.get("sources/get", id=made["id"])
        api.get("sources/list")
        self.sites(made["id"])
        api.post("sources/pause", id=made["id"], pause=True)
        api.post("sources/del", id=made["id"])

    def sites(self, source: int) -> None:
        """A page that may report visits."""
        api = self._api
        made = api.post("sites/add", domains=["shop.example", "*.shop.example"], source=source)
        self.spelling[made["site"]] = "Gk3nB0ZtQe7Wd1Ls"
        api.post("sites/edit", id=made["id"], capture=15, consent="required")
        api.post("sites/check", id=made["id"])
        api.get("sites/list")
        self.visits(made["site"])
        api.post("sites/del", id=made["id"])

    def visits(self, site: str) -> None:
        """A customer's own server tells of a visitor."""
        api, temp = self._api, "0e984725-c51c-4bf4-9960-e1c80e27aba0"
        page = {"href": "https://shop.example/deal?utm_source=fb", "clientSessionId": "s-1"}
        made = api.post("track/visit", site=site, tempId=temp, consent=True, **page)
        self.spelling[made["visitId"]] = "Rt5yHq0LmZx8Vb2N"
        api.post("track/fbp", site=site, tempId=temp, fbp="fb.1.1790000000000.1234567890")
        api.post("track/invite", site=site, tempId=temp, consent=True)
        api.call("/api/v1/events/visit", websiteId=site, tempId=temp, consent=True, **page)
        api.call("/api/v1/events/update-fbp", tempId=temp, fbp="fb.1.1790000000000.1234567890")
        api.call("/api/v1/events/invite", websiteId=site, tempId=temp, consent=True)

    def destinations(self) -> None:
        """Connect a tracker beside the campaign's own templates."""
        api, tracker = self._api, "altercpa_lite"
        api.get_one("trackers/list", "All that are installed; here is one of them.", tracker)
        api.post("dest/check", "Before it is kept:", tracker=tracker, settings=self._crm)
        wanted = {"tracker": tracker, "title": "Our CRM", "settings": self._crm}
        made = api.post("dest/add", **wanted, events=["approve", "cancel"])["id"]
        api.post("dest/edit", id=made, events={"trash": True})
        api.post("dest/check", "As it is kept:", id=made)
        api.get("dest/list", limit=1)
        api.post("postbacks/test", "Shown only:", dest=made, event="approve")
        api.post("postbacks/test", "Sent:", dest=made, event="approve", send=True)
        api.post("dest/pause", id=made, pause=True)
        api.post("dest/del", id=made)

    def people(self) -> None:
        """Ann follows the link, asks to be let in, and is."""
        api = self._api
        steps = [
            people.start(ANN, f"{self.code}-c1", DATE + 10),
            people.join_request(ANN, CHAT, DATE + 20),
            people.join(ANN, CHAT, DATE + 30, people.ADMIN),
        ]
        for number, update in enumerate(steps, 1):
            self._happen(update)
            self._delivered(number)
        self.desk()
        api.get("leads/list", limit=10)
        api.get("leads/get", id=1)
        api.get("journal/list", bot=self.bot, chat=CHAT.id, limit=2)
        api.get("journal/export", "A table as CSV:", bot=self.bot, chat=CHAT.id, action=1)
        api.get("postbacks/list", lead=1, limit=2)
        api.get("postbacks/export", "A table as CSV, here of no row:", lead=1, event="cancel")
        api.get("postbacks/get", id=3)
        api.post("postbacks/resend", id=3, remark="One:")
        self._delivered(3)
        api.post("postbacks/resend", state="failed", event="approve", remark="All that are found:")

    def desk(self) -> None:
        """Who asked to be let in, whom rules let in, and who is blocked."""
        api = self._api
        (request,) = api.get("requests/list", state="joined", limit=10)
        campaign = {"campaign": request["campaign"]}
        api.get("requests/get", id=request["id"])
        rules = [
            {"action": "decline", "conditions": {"blocked": True}, "note": "never"},
            {"action": "approve", "conditions": {"how": ["click"]}},
            {"action": "approve", "conditions": {"share": 30}, "delay_from": 300, "delay_to": 1200},
        ]
        api.post("rules/set", **campaign, rules=rules[:2])
        api.get("rules/list", **campaign)
        api.post("rules/try", "Before they are set:", **campaign, rules=rules)
        self._bot_api.push(TOKEN, people.join_request(BEN, CHAT, DATE + 25))
        api.until("requests/list", bool, state="waiting")
        api.post("requests/decide", "Who would it be?", **campaign, decision="approve", dry=True)
        # What is held is not told to Telegram, so that no clock decides about the answers.
        made = api.post("requests/decide", **campaign, decision="hold")
        self.spelling[made["batch"]] = "5f0c2a9be1d84376"
        api.post("requests/undo", batch=made["batch"])
        api.post("blocked/add", person="@spammer", reason="sells")
        api.post("blocked/import", csv="777000\n@another")
        api.get("blocked/export", "A table as CSV:")
        rows = api.get("blocked/list", limit=2)
        api.post("blocked/del", id=rows[0]["id"])

    def events(self) -> None:
        """A casino's server tells of a deposit, by a key of its own."""
        api = self._api
        made = api.post("eventkeys/add", title="Casino", currency="USD")
        self.spelling[made["key"]] = "Vt3kQ9sXb2Lm7Rz0Yc5Wd8Fa"
        api.post("eventkeys/edit", id=made["id"], addresses=["127.0.0.0/8"])
        api.visit(f"/in/{made['key']}", 200, event="deposit", value="49.5", tid="t1", click="c1",
                  time=str(DATE + 40))  # fmt: skip
        (event,) = api.get("events/list", lead=1)
        self.spelling[event["created"]] = "2026-09-21 14:13:21"
        api.post("events/add", event="registration", lead=1, time=DATE + 35)
        api.post("events/value", id=event["id"], value="60", currency="USD")
        api.get("events/export", "A table as CSV:", tid="t1")
        api.get("stats/conversions", **{"from": DATE - 86400, "to": DATE + 86400})
        api.get("events/get", id=event["id"])
        self.as_adtarget()
        api.get("eventkeys/list")
        made = api.post("eventkeys/rotate", id=made["id"], signed=True)
        self.spelling[made["key"]] = "Hp6uJ1nTg4Ke8Sw3Ox7Bq2Cy"
        self.spelling[made["secret"]] = "vRq1a0m2hY8kX5tP3wL7zN9cD4fG6jBs"
        api.post("eventkeys/del", id=made["id"])

    def as_adtarget(self) -> None:
        """A program that was written for AdTarget tells of a purchase, and of its value later."""
        api, person = self._api, "/api/v1/leads/<int:telegram_user_id>"
        event = {"eventType": "Purchase", "value": 20, "currency": "USD"}
        event["eventTime"] = 1000 * (DATE + 45)
        made = api.call("/api/v1/events/conversion", telegramUserId=ANN.id, **event)
        api.call(f"{person}/events", at=[ANN.id], eventType="Custom", customEventName="Upgrade")
        value = f"{person}/conversions/<conversion_id>/value"
        api.call(value, at=[ANN.id, made["conversionId"]], value=25, currency="USD")
        shown = api.call(person, at=[ANN.id])
        for conversion in shown["conversions"]:
            if conversion["eventType"] == "Custom":
                conversion["eventTime"] = 1000 * DATE
        api.call("/api/v1/events/conversion", "What is wrong is said as AdTarget says it:",
                 telegramUserId=ANN.id, eventType="Purchase")  # fmt: skip

    def media(self) -> None:
        """A picture for the welcome."""
        picture = io.BytesIO()
        Image.new("RGB", (640, 360), "seagreen").save(picture, "PNG")
        made = self._api.upload("media/upload", "flowers.png", picture.getvalue())
        self.spelling[made["media"]] = "img_x7Kq2mB9"
        self._api.get("media/list")
        self._api.post("media/del", media=made["media"])

    def forgetting(self) -> None:
        """Take the leads away with you, and let one be forgotten."""
        api = self._api
        api.get("leads/export", "A table as CSV:")
        made = api.post("exports/add", kind="leads", filters={"status": 2})
        api.until("exports/list", lambda rows: rows[0]["state"] == "ready")
        api.get("exports/list")
        api.get("exports/get", "The file:", id=made["id"])
        api.post("exports/del", id=made["id"])
        self._api.post("leads/erase", subscriber=ANN.id)

    def documents(self) -> None:
        """The contract as a document, and as a page."""
        api = self._api
        told = api.look("/api/openapi.json")
        beginning = {name: told[name] for name in ("openapi", "info")}
        api.kept.append(Exchange("GET", "/api/openapi.json", {}, beginning, "How it begins:"))
        title = re.search("<title>.*?</title>", api.look("/api/docs"))
        page = title[0] if title else ""
        api.kept.append(Exchange("GET", "/api/docs", {}, page, "A page for people:"))

    def stats(self) -> None:
        """Who came, who stays."""
        for what in ("summary", "daily", "retention", "attribution", "sources"):
            self._api.get(f"stats/{what}", **{"from": DATE - 86400, "to": DATE + 86400})
        range_ = {"from": DATE - 86400, "to": DATE + 86400}
        self._api.get("stats/export", "A table as CSV:", table="campaigns", **range_)

    def sessions(self) -> None:
        """A login link before and after its person agreed, and the session."""
        api = self._api
        started = api.get("auth/start", lang="en")
        self.spelling[started["nonce"]] = "eFq3vJx0Zt9mWc2Lr8Yb5Nk7Hd1Gs4Pa"
        api.get("auth/poll", "Nobody has opened the link yet:", nonce=NONCE)
        self._bot_api.push(SERVICE_TOKEN, people.start(OWNER, f"login-{NONCE}"))
        press = {"id": "1", "from": OWNER.user(), "chat_instance": "1"}
        press["data"] = _wait(self._question, "a question")
        self._bot_api.push(SERVICE_TOKEN, {"callback_query": press})
        said = _wait(
            lambda: not (told := api.look("auth/poll", nonce=NONCE))["pending"] and told, "a login"
        )
        api.kept.append(
            Exchange(
                "GET", _full("auth/poll"), {"nonce": NONCE}, said, "Once the person has agreed:"
            )
        )
        session = api.as_someone_else(said["token"])
        session.get("profile/login")
        session.post("auth/logout")
        session.close()

    def _question(self) -> str:
        """The data of the button that agrees to a login, once the bot has asked."""
        asked = [one for one in self._bot_api.sent(SERVICE_TOKEN) if one.chat_id == OWNER.id]
        return asked[-1].reply_markup["inline_keyboard"][0][0]["callback_data"] if asked else ""

    def transfer(self) -> None:
        """Give the campaign and then its bot to somebody who has told us a token."""
        api, other = self._api, self._other
        token = other.get("transfer/token")["token"]
        self.spelling[token] = "TARKapD7vN22lapMpTqc7KydpNskhxDv"
        api.get("transfer/resolve", token=token)
        bot = other.look_post("bots/add", token=OTHER_TOKEN)["data"]["id"]
        self._bot_api.push(OTHER_TOKEN, people.bot_rights(CHAT, True, DATE, bot=OTHER_BOT))
        time.sleep(1)  # a chat that is tracked is in no list that could be waited for
        api.post("transfer/camp", token=token, id=1, bot=bot, leads=True)
        api.post("transfer/bot", token=token, id=self.bot, leads=True)
        waiting = [row["id"] for row in api.get("transfer/list")]
        api.post("transfer/cancel", id=waiting[0])
        self.spelling[other.post("transfer/token")["token"]] = "qvgr7knWfLISg4MTL7ZcBSxJdExrY6F7"

    def tariffs(self) -> None:
        """A plan is bought, paid for and confirmed in both ways."""
        api, buyer = self._api, self._buyer
        api.get("tariff/list")
        api.post("tariff/buy", "While another plan has long to go:", tariff="cat")
        url = buyer.post("tariff/buy", "A paid plan answers where to pay:", tariff="cat")["url"]
        ref = url.rpartition("/")[2]
        self.spelling[ref] = "m3J0bIYpVt5cQ8sGk2xZ7w"
        api.get("/api/pay/check", "Not paid yet:", payment=ref)
        self._gateway.pay(ref)
        body, headers = self._gateway.notice(ref)
        remark = "As the gateway `signed_gateway` pushes it, its signature in `X-Signature`:"
        api.push("/api/pay/acp", remark, body, headers)
        api.push("/api/pay/acp", "Whoever is not the gateway:", body, {})
        api.get("/api/pay/check", "Paid:", payment=ref)
        buyer.get("tariff/history")
        api.get("/api/pay/check", "A reference that nobody was given:", payment="p-1")

    def errors(self) -> None:
        """What it looks like when something is wrong."""
        api = self._api
        api.get("camp/get", id=99, remark="Not there, or another account's:")
        api.get("leads/list", limit="many", remark="A parameter that cannot be:")
        api.post("bots/list", remark="The wrong method:")

    def farewell(self) -> None:
        """Take away what was made; the key goes last."""
        api = self._api
        api.post("camp/del", id=1)
        api.post("bots/del", id=self.bot)
        api.post("profile/apikey")

    def _happen(self, update: Update) -> None:
        self._bot_api.push(TOKEN, update)

    def _delivered(self, number: int) -> None:
        def all_there(rows: list[dict[str, Any]]) -> bool:
            return len(rows) == number and all(row["state"] == "delivered" for row in rows)

        self._api.until("postbacks/list", all_there)


def _wait(holds: Callable[[], Any], what: str) -> Any:
    end = time.monotonic() + PATIENCE
    while not (found := holds()):
        assert time.monotonic() < end, f"{what} never came"
        time.sleep(0.05)
    return found


def record() -> list[Exchange]:
    """Run the system beside the doubles, and return the normalised exchanges."""
    bot_api, tracker, altercpa = BotApiDouble(), TrackerDouble(), AltercpaDouble(CRM_KEY)
    gateway = GatewayDouble()
    bot_api.add_bot(TOKEN, BOT.username, BOT.first_name)
    bot_api.add_bot(OTHER_TOKEN, OTHER_BOT.username, OTHER_BOT.first_name)
    bot_api.add_bot(SERVICE_TOKEN, "gatepost_bot")
    with (
        tempfile.TemporaryDirectory(prefix="gatepost-record-") as folder,
        running(bot_api) as bot_api_url,
        running(tracker) as tracker_url,
        running(altercpa) as crm_url,
        running(gateway) as gateway.url,
    ):
        crm = {"domain": crm_url.removeprefix("http://"), "key": CRM_KEY}
        environ = _environ(folder) | {
            "TELEGRAM_API_URL": bot_api_url,
            "PAYMENT_GATEWAY": "signed_gateway",
            "PAYMENT_SETTINGS": json.dumps(gateway.settings),
        }
        with run.running(environ, Path(folder)) as system:
            api = Recorder(system.url, system.key)
            other = api.as_someone_else(_account(environ, "other", "tiger"))
            buyer = api.as_someone_else(_account(environ, "buyer", "kitten"))
            journey = Journey(
                api,
                other,
                buyer,
                bot_api=bot_api,
                gateway=gateway,
                tracker_url=tracker_url,
                crm=crm,
            )
            journey.play()
            for recorder in (api, other, buyer):
                recorder.close()
    spelling = journey.spelling | {
        tracker_url: "https://tracker.example",
        crm_url: "https://crm.example",
        crm["domain"]: "crm.example",
        gateway.url: "https://pay.example",
    }
    return [_normal(exchange, spelling) for exchange in api.kept]


def _environ(folder: str) -> dict[str, str]:
    names = {field.name.upper() for field in fields(Settings)}
    kept = {name: text for name, text in os.environ.items() if name not in names}
    port = free_port()
    return kept | {
        "PORT": str(port),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "DATABASE_URL": f"sqlite:///{folder}/gatepost.db",
        "SECRET_KEY": "a secret for this record",
        "SERVICE_BOT_TOKEN": SERVICE_TOKEN,
        "OUTBOUND_ALLOW": "127.0.0.0/8",
        "WEB_CONCURRENCY": "1",
        "LOG_LEVEL": "warning",
    }


def _account(environ: dict[str, str], login: str, tariff: str) -> str:
    """The API key of an account beside the first, made as an operator makes it."""
    command = f"-m flask --app wsgi account create --login {login} --name Other --tariff {tariff}"
    made = subprocess.run(
        [sys.executable, *command.split()],
        cwd=ROOT,
        env=environ | {"REDIS_URL": "redis://127.0.0.1:1"},
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return str(json.loads(made.stdout)["key"])


def _normal(exchange: Exchange, spelling: dict[str, str]) -> Exchange:
    def settle(value: Any) -> Any:
        text = json.dumps(_steady(value), ensure_ascii=False)
        for said, written in spelling.items():
            text = text.replace(said, written)
        text = _SAMPLE.sub("test-e07a967b5ca4", text)
        text = _SESSION.sub("sess_…", text)
        text = _MINUTE.sub("2026-09-21 14:13 UTC", text)
        return json.loads(_KEY.sub(r"\1-…", text))

    return Exchange(
        exchange.method,
        exchange.path,
        settle(exchange.sent),
        settle(exchange.answer),
        exchange.remark,
    )


def _steady(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _settled(name, inner) for name, inner in value.items()}
    if isinstance(value, int) and abs(value - time.time()) < 3600:
        return DATE
    return [_steady(inner) for inner in value] if isinstance(value, list) else value


def _settled(name: str, value: Any) -> Any:
    if name in _VOLATILE and value != _NEVER:
        return _VOLATILE[name]
    if name in _VOLATILE_DATES and isinstance(value, str) and value != _NEVER:
        return _VOLATILE_DATES[name]
    if name == "pending" and type(value) is int:
        return 0  # what waits at Telegram just when it is asked
    return _steady(value)


def application() -> Flask:
    """The application, to be looked at only."""
    return create_app(
        Settings.from_environment(
            {
                "SECRET_KEY": "only for looking at the routes",
                "REDIS_URL": "redis://127.0.0.1:1",
                "DATABASE_URL": "sqlite:///var/never-opened.db",
            }
        )
    )


def endpoints(app: Flask) -> Iterator[tuple[str, str, Any]]:
    """Method, path and view of everything under /api/."""
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/"):
            view = app.view_functions[rule.endpoint]
            for method in sorted((rule.methods or set()) & {"GET", "POST"}):
                yield method, rule.rule, view


def render(exchanges: list[Exchange]) -> str:
    """The reference: each endpoint with its parameters and what was said."""
    parts = []
    told: list[Exchange] = []
    group = ""
    for method, path, view in endpoints(application()):
        if path.split("/")[2] != group:
            group = path.split("/")[2]
            module = (inspect.getdoc(inspect.getmodule(view)) or "").partition("\n")[0]
            about = module.partition(": ")[2].partition(". ")[0].rstrip(".")
            parts.append(f"## {about[:1].upper()}{about[1:]}: `{group}`\n")
        parts.append(f"### {method} {path}\n\n{inspect.getdoc(view)}\n")
        if schema := getattr(view, "takes", None):
            parts.append(_parameters(schema()))
        fitting = [one for one in exchanges if (one.method, one.path) == (method, path)]
        shown = [one for one in fitting if one.is_good] or fitting
        told += shown
        parts += [one.text() for one in shown]
    parts.append("## When something is wrong\n")
    parts += [one.text() for one in exchanges if one not in told]
    return "\n".join(parts)


def _parameters(schema: Input) -> str:
    rows = ["| parameter | | value |", "|---|---|---|"]
    for name, field in schema.fields.items():
        need = "required" if field.required else ""
        if field.load_default not in (missing, None, ""):
            need = f"[{field.load_default}]"
        rows.append(f"| `{field.data_key or name}` | {need} | {_kind(field)} |")
    return "\n".join(rows) + "\n"


def _kind(field: Any) -> str:
    if isinstance(field, ours.Int):
        ends = [f"from {field.low}"] if field.low != ours.SMALLEST else []
        ends += [f"to {field.high}"] if field.high != ours.LARGEST else []
        return " ".join(["whole number", *ends])
    if isinstance(field, ours.Text):
        return f"text, at most {field.longest} characters"
    words = getattr(field, "words", None) or getattr(field, "by_word", ())
    if words:
        return ", ".join(f"`{word}`" for word in words)
    return "true, false, 1 or 0" if isinstance(field, ours.Boolean) else "object"


def recorded() -> str:
    """What the second half of the document should say."""
    return render(record())


def main() -> int:
    """Rewrite the document's second half."""
    head, mark, _ = DOCUMENT.read_text().partition(MARK)
    if not mark:
        sys.stderr.write(f"{DOCUMENT} lacks the line {MARK}")
        return 1
    DOCUMENT.write_text(head + mark + "\n" + recorded())
    return 0


if __name__ == "__main__":
    sys.exit(main())
