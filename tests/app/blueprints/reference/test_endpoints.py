"""The documented endpoints and their methods, and rules that span several of them."""

import itertools
import json

import pytest

from app.models import BotStatus
from app.sandbox.telegram import people
from app.sandbox.telegram.people import Chat, Person
from app.services.leads import process
from app.services.updates import inbox

#: As AlterCPA TOP documents them, then our own.
ENDPOINTS = """
GET profile/info · POST profile/apikey · POST profile/postbacks · POST profile/notify
POST profile/lang · GET profile/login · GET profile/tracker · POST profile/tracker
GET auth/poll · GET bots/list · POST bots/add · GET bots/chats · POST bots/del
GET camp/list · GET camp/get · POST camp/add · POST camp/edit · GET camp/link
POST camp/pause · POST camp/del · POST media/upload · GET leads/list · GET journal/list
GET tariff/list · POST tariff/buy · GET tariff/history
GET transfer/token · POST transfer/token · GET transfer/resolve
POST transfer/bot · POST transfer/camp
GET trackers/list · GET dest/list · POST dest/add · POST dest/edit · POST dest/pause
POST dest/del · POST dest/check · POST postbacks/test · GET postbacks/list
GET postbacks/get · POST postbacks/resend · GET leads/get · GET leads/export
POST leads/erase · GET media/list · POST media/del
POST profile/zone · GET auth/start · GET transfer/list · POST transfer/cancel
GET events/list · GET events/get · POST events/add · POST events/value · GET events/export
GET stats/conversions · GET eventkeys/list · POST eventkeys/add
POST eventkeys/edit · POST eventkeys/rotate · POST eventkeys/del
GET stats/summary · GET stats/daily · GET stats/retention · GET stats/attribution
GET stats/sources · POST sites/check · GET postbacks/export · GET journal/export · GET stats/export
"""
DOCUMENTED = [
    (method, f"/api/{path}.json")
    for method, path in map(str.split, ENDPOINTS.strip().replace("·", "\n").splitlines())
]
BARE = [("POST", "/api/pay/acp"), ("GET", "/api/pay/check")]
PUBLIC = {"/api/auth/poll.json", "/api/auth/start.json", "/api/pay/acp", "/api/pay/check"}
TOKEN = "4242:AAsecret-part_of-the-token"
ANN, BOB = Person(4_242_001), Person(4_242_002)
CHAT = Chat(-1001000000777)


@pytest.mark.parametrize(("method", "path"), DOCUMENTED + BARE)
def test_a_documented_endpoint_is_there_under_its_method_only(client, account, method, path):
    def error(verb, **query):
        answer = client.open(path, method=verb, query_string=query)
        assert answer.status_code == 200
        return (answer.get_json(silent=True) or {}).get("error")

    assert error(method, id=account.key) != "func"
    if path not in PUBLIC:
        assert error(method) == "key"
    other = "POST" if method == "GET" else "GET"
    if (other, path) not in DOCUMENTED:
        assert error(other, id=account.key) == "func"
    for verb in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        assert error(verb, id=account.key) == "func"


@pytest.fixture
def telegram(live_app, bot_api, change_settings):
    change_settings(public_url="http://127.0.0.1:9")
    bot_api.add_bot(TOKEN, "mytrackbot", "My Bot")
    return bot_api


@pytest.fixture
def tell():
    """An update comes to a bot and is processed."""
    numbers = itertools.count(1)

    def send(bot, update):
        inbox.store_updates(bot, [json.dumps({**update, "update_id": next(numbers)}).encode()])
        process.process_updates(seconds=60)

    return send


def test_a_bot_goes_from_its_token_to_a_lead_and_back_by_the_api_alone(telegram, api, tell):
    """Its campaigns rest while it is deleted, and go on once it is restored."""
    bot = api.post("bots/add", token=TOKEN)["data"]["id"]
    tell(bot, people.bot_rights(CHAT, True))
    (chat,) = api.get("bots/chats", id=bot)["data"]
    assert (chat["id"], chat["type"]) == (CHAT.id, "channel")
    template = "https://track.example/?click={click}"
    campaign = api.post("camp/add", bot=bot, chat=CHAT.id, pb_wait=template)["data"]
    tell(bot, people.start(ANN, f"{campaign['code']}-first"))
    assert [row["click"] for row in api.get("leads/list")["data"]] == ["first"]

    assert api.post("bots/del", id=bot) == {"status": "ok"}
    assert api.get("bots/list")["data"][0]["status"] == BotStatus.DELETED
    assert api.get("camp/get", id=campaign["id"])["data"]["status"] == 0
    tell(bot, people.start(BOB, f"{campaign['code']}-second"))
    tell(bot, people.join(ANN, CHAT))
    assert [row["status"] for row in api.get("leads/list")["data"]] == [0]
    assert api.get("postbacks/list")["total"] == 1

    assert api.post("bots/add", token=TOKEN)["data"]["id"] == bot
    tell(bot, people.start(BOB, f"{campaign['code']}-third"))
    assert [row["click"] for row in api.get("leads/list")["data"]] == ["third", "first"]
    assert api.get("postbacks/list")["total"] == 2


def test_a_paused_campaign_moves_leads_it_has_and_reports_nothing(telegram, api, tell):
    bot = api.post("bots/add", token=TOKEN)["data"]["id"]
    tell(bot, people.bot_rights(CHAT, True))
    urls = {f"pb_{kind}": "https://track.example/" for kind in ("wait", "approve")}
    campaign = api.post("camp/add", bot=bot, chat=CHAT.id, **urls)["data"]
    tell(bot, people.start(ANN, f"{campaign['code']}-a"))
    api.post("camp/pause", id=campaign["id"], pause=1)
    tell(bot, people.join(ANN, CHAT))
    tell(bot, people.start(BOB, f"{campaign['code']}-b"))
    assert [(row["subscriber"], row["status"]) for row in api.get("leads/list")["data"]] == [
        (ANN.id, 2)
    ]
    assert [row["event"] for row in api.get("postbacks/list")["data"]] == ["wait"]
    assert api.get("journal/list", bot=bot, chat=CHAT.id, action=1)["total"] == 1
    card = api.get("camp/list")["data"][0]
    assert (card["status"], card["starts"], card["confirms"]) == (1, 1, 1)


def test_what_an_unpaid_account_may_still_ask(api, make_account):
    lapsed = api(make_account(tariff="cat", paid_until=1).key)
    answering = {
        path
        for method, path in DOCUMENTED
        if path not in PUBLIC
        and (lapsed.get if method == "GET" else lapsed.post)(path).get("error") != "unpaid"
    }
    allowed = {"profile/info", "tariff/list", "tariff/history", "tariff/buy", "profile/login"}
    assert answering == {f"/api/{path}.json" for path in allowed}
