"""Each answer that the documents of AlterCPA TOP show, beside ours: keys, order, kinds.

The lines are the documents' own. What we answer beyond them stands after their keys.
"""

import io
import json
import re
import time

import pytest
from PIL import Image

from app.extensions import db
from app.models import Account
from app.sandbox.serving import running
from app.sandbox.vendors.altercpa import AltercpaDouble
from app.services.service_bot import logins

TOKEN = "7123456789:AAsecret-part_of-the-token"

#: Call, what it takes (a name of `made` stands for its id), and the answer's `data`.
EXAMPLES = """
GET profile/info | | {"id":42,"name":"John Doe","login":"johndoe","lang":"en","tariff":"cat",\
"tariff_name":"Kitty","tariff_campaigns":15,"paid_until":"2026-07-01 00:00:00","campaigns":3,\
"pb_wait":"","pb_hold":"","pb_approve":"…","pb_cancel":"…","pb_trash":"…",\
"notify":{"tariff":true,"leads":true}}
GET profile/login | | {"id":42,"name":"John Doe"}
GET profile/tracker | | {"connected":true,"domain":"www.altercpa.red"}
POST profile/tracker | domain= | {"connected":true,"domain":"www.altercpa.red"}
GET bots/list | | [{"id":7,"tg":7123456789,"username":"mytrackbot","name":"…","status":0,\
"created":"…"}]
POST bots/add | token=TOKEN | {"id":7,"username":"mytrackbot","name":"…"}
GET bots/chats | id=bot | [{"id":-1001234567890,"title":"My Channel","type":"channel"}]
GET camp/list | | [{"id":12,"code":"abc123","bot":7,"bot_username":"mytrackbot",\
"chat":-1001234567890,"chat_title":"My Channel","status":0,"starts":0,"confirms":0,"unsubs":0,\
"created":"…"}]
GET camp/get | id=campaign | {"id":12,"code":"abc123","bot":7,"bot_username":"mytrackbot",\
"chat":-1001234567890,"chat_title":"My Channel","status":0,"starts":0,"confirms":0,"unsubs":0,\
"created":"…","welcome":"…","media":"","button_text":"","button_url":"","pb_wait":"",\
"pb_hold":"","pb_approve":"","pb_cancel":"","pb_trash":"","unsub_window":2592000}
POST camp/add | bot=bot chat=free | {"id":12,"code":"abc123"}
GET camp/link | id=campaign | {"link":"https://t.me/mytrackbot?start=abc123-{click}"}
GET leads/list | | [{"id":1001,"campaign":12,"subscriber":9876543210,"username":"alice",\
"click":"abc456xyz","status":2,"start_time":"2026-05-20 10:00:00",\
"join_time":"2026-05-20 10:01:00","updated":"2026-05-20 10:01:00"}]
GET tariff/list | | [{"code":"cat","name":"Kitty","campaigns":15,"price_usd":24,"price_rub":2400}]
GET transfer/token | | {"token":"xyz789abc…"}
GET transfer/resolve | token=token | {"name":"Jane Doe","paid":true,"slots":12}
POST transfer/token | | {"token":"xyz789abc…"}
POST tariff/buy | tariff=cat | {"url":"https://pay.affi.cat/…"}
POST profile/apikey | | {"key":"42-new…"}
"""
CALLS = [tuple(part.strip() for part in line.split("|")) for line in EXAMPLES.strip().splitlines()]


def differences(told, shown, path="data"):
    """Where `told` has other keys, another order or other kinds than the example."""
    if isinstance(shown, list):
        if not isinstance(told, list) or not told:
            return [f"{path} is no list of anything"]
        return [fault for row in told for fault in differences(row, shown[0], f"{path}[]")]
    if isinstance(shown, dict):
        if list(told)[: len(shown)] != list(shown):
            return [f"{path} has the keys {list(told)}, and not {list(shown)}"]
        return [
            fault for key in shown for fault in differences(told[key], shown[key], f"{path}.{key}")
        ]
    return [] if type(told) is type(shown) else [f"{path} is {told!r}, shown is {shown!r}"]


@pytest.fixture
def made(api, world, account, bot_api, gateway):
    """One of everything that the calls ask for, by name. The plan may be bought again."""
    row = db.session.get(Account, account.id)
    row.paid_until = int(time.time()) + 86_400
    bot_api.add_bot(TOKEN, "mytrackbot", "My Bot")
    bot = world.bot()
    chat, free = world.chat(bot), world.chat(bot)
    campaign = world.campaign(bot_id=bot, chat_id=chat, code="abc123")
    world.lead(campaign, bot_id=bot)
    token = api.get("transfer/token")["data"]["token"]
    return {"bot": bot, "free": free, "campaign": campaign, "token": token, "TOKEN": TOKEN}


@pytest.fixture
def session(api, new_session):
    """The API as the dashboard uses it, which may call all that a key may."""
    return api(new_session())


@pytest.mark.parametrize(("call", "takes", "shown"), CALLS, ids=[call for call, *_ in CALLS])
def test_an_answer_has_the_keys_order_and_kinds_of_its_example(session, made, call, takes, shown):
    method, path = call.split()
    pairs = (pair.split("=", 1) for pair in takes.split())
    params = {name: made.get(value, value) for name, value in pairs}
    answer = getattr(session, method.lower())(path, **params)
    assert answer["status"] == "ok", answer
    assert list(answer)[:2] == ["status", "data"]
    assert differences(answer["data"], json.loads(shown)) == []


def test_a_real_connect_has_the_keys_order_and_kinds_of_its_example(session):
    shown = next(shown for call, _, shown in CALLS if call == "POST profile/tracker")
    with running(AltercpaDouble("42-d3adb33f")) as url:
        host = url.partition("://")[2]
        for answer in (
            session.post("profile/tracker", domain=host, key="42-d3adb33f"),
            session.get("profile/tracker"),
        ):
            assert list(answer)[:2] == ["status", "data"], answer
            assert differences(answer["data"], json.loads(shown)) == []
            assert answer["data"] == {"connected": True, "domain": host}


#: What else the documents show of whole answers.
LEADS = {"status": "ok", "data": [], "total": 1}
POLLED = (
    {"status": "ok", "pending": True},
    {"status": "ok", "pending": False, "token": "sess_…"},
)
DONE = """
POST profile/postbacks | pb_wait=
POST profile/notify | tariff=1
POST profile/lang | lang=ru
POST bots/del | id=bot
POST camp/edit | id=campaign
POST camp/pause | id=campaign pause=1
POST camp/del | id=campaign
POST tariff/buy | tariff=kitten
"""


def test_a_list_of_leads_has_its_total_beside_the_data(session, made):
    assert list(session.get("leads/list")) == list(LEADS)


def test_a_poll_answers_beside_the_status_and_not_in_data(api, made, account):
    nonce = "n" * 20
    before = api.get("auth/poll", nonce=nonce)
    login = logins.link_opened(nonce, account.id, time.time())
    assert login is not None
    assert logins.agree(login.id, account.id, time.time())
    db.session.commit()
    after = api.get("auth/poll", nonce=nonce)
    for told, shown in zip((before, after), POLLED, strict=True):
        assert differences(told, shown, "") == []
        assert list(told) == list(shown)
    assert after["token"].startswith("sess_")


def test_an_upload_answers_the_code_of_the_media(client, account):
    picture = io.BytesIO()
    Image.new("RGB", (20, 10), "red").save(picture, "PNG")
    picture.seek(0)
    told = client.post(
        "/api/media/upload.json",
        data={"file": (picture, "a.png")},
        headers={"Authorization": f"Bearer {account.key}"},
    ).get_json()
    assert list(told) == ["status", "data"]
    assert list(told["data"]) == ["media"]
    assert re.fullmatch(r"img_[\w-]+", told["data"]["media"])  # shown: img_abc123xyz


@pytest.mark.parametrize("line", DONE.strip().splitlines())
def test_a_change_is_answered_with_ok_alone(session, made, line):
    call, takes = (part.strip() for part in line.split("|"))
    pairs = (pair.split("=", 1) for pair in takes.split())
    params = {name: made.get(value, value) for name, value in pairs}
    assert session.post(call.split()[1], **params) == {"status": "ok"}


def test_an_error_is_answered_with_status_and_code_first(api):
    assert list(api.get("camp/get", id=10**9))[:2] == ["status", "error"]
