"""Every error code, as a real call brings it about: one row for each documented case."""

import time
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from app import create_app
from app.extensions import db
from app.sandbox.telegram import faults
from app.services.accounts import rate_limits
from app.web.openapi.document import error_codes

DAY = 86_400
TOKEN = "4242:AAsecret-part_of-the-token"
NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"
#: What stands beside `message`, by code; with other codes nothing does.
BESIDE = {
    "param": {"field"}, "rate": {"retry_after"}, "db": {"retry_after"}, "server": {"request_id"},
}  # fmt: skip
ROWS = {}


def row(code, case):
    def keep(play):
        ROWS[f"{code}, {case}"] = code, play
        return play

    return keep


@pytest.fixture
def telegram(bot_api, change_settings):
    """A Bot API that knows one bot, and an installation with a public address."""
    change_settings(public_url="http://127.0.0.1:9")
    bot_api.add_bot(TOKEN, "mytrackbot", "My Bot")
    return bot_api


@pytest.fixture
def scene(
    *, api, client, account, world, other, others_world, make_account, world_of, telegram, stand
):
    """All that a row may play with."""
    return SimpleNamespace(**locals())


@pytest.fixture
def stand(monkeypatch):
    """Time stands still for who counts calls: nobody is given new ones meanwhile."""
    monkeypatch.setattr(rate_limits.AUTHENTICATED, "clock", lambda: 1_780_000_000.0)


def _lapsed(scene):
    until = int(time.time()) - 8 * DAY
    return scene.api(scene.make_account(tariff="cat", paid_until=until).key)


def _place(scene):
    bot = scene.world.bot()
    return {"bot": bot, "chat": scene.world.chat(bot)}


def _token_of(scene, account):
    return scene.api(account.key).get("transfer/token")["data"]["token"]


@row("key", "no key at all")
def _(scene):
    return scene.client.get("/api/camp/list.json").get_json()


@row("key", "a wrong one")
def _(scene):
    return scene.api(f"{scene.account.id}-wrong").get("profile/info")


@row("key", "rotated away")
def _(scene):
    scene.api.post("profile/apikey")
    return scene.api.get("profile/info")


@row("key", "the API key where only a session will do")
def _(scene):
    return scene.api.get("profile/login")


@row("ban", "any call")
def _(scene):
    return scene.api(scene.make_account(status=1).key).get("profile/info")


@row("func", "no such group")
def _(scene):
    return scene.api.get("nothing/list")


@row("func", "no such function")
def _(scene):
    return scene.api.get("camp/nothing")


@row("func", "the other method")
def _(scene):
    return scene.api.get("camp/add")


@row("func", "without .json")
def _(scene):
    return scene.api.get("/api/camp/list")


@row("unpaid", "reading")
def _(scene):
    return _lapsed(scene).get("camp/list")


@row("unpaid", "writing")
def _(scene):
    return _lapsed(scene).post("profile/lang", lang="ru")


@row("notfound", "missing")
def _(scene):
    return scene.api.get("camp/get", id=10**12)


@row("notfound", "of another account")
def _(scene):
    return scene.api.get("camp/get", id=scene.others_world.campaign())


@row("notfound", "a transfer token of nobody")
def _(scene):
    return scene.api.get("transfer/resolve", token="nobody")


@row("param", "missing")
def _(scene):
    return scene.api.post("profile/lang")


@row("param", "of a wrong form")
def _(scene):
    return scene.api.get("leads/list", status="approve")


@row("size", "a body")
def _(scene):
    return scene.api.post("camp/edit", id=scene.world.campaign(), welcome="x" * 300_000)


@row("rate", "too many calls")
def _(scene):
    for _ in range(rate_limits.AUTHENTICATED.burst):
        rate_limits.AUTHENTICATED.hit(str(scene.account.id))
    return scene.api.get("profile/info")


@row("server", "something broken inside")
def _(scene):
    dest = scene.world.destination(role=0)
    damage = text("UPDATE destination SET settings = 'garbage' WHERE id = :dest")
    db.session.execute(damage, {"dest": dest})
    return scene.api.get("profile/info")


@row("token", "Telegram does not know it")
def _(scene):
    return scene.api.post("bots/add", token="77:unknown")


@row("token", "nothing like a token")
def _(scene):
    return scene.api.post("bots/add", token="hello")


@row("exists", "a bot connected to another account")
def _(scene):
    scene.api(scene.other.key).post("bots/add", token=TOKEN)
    return scene.api.post("bots/add", token=TOKEN)


@row("webhook", "Telegram refuses to register it")
def _(scene):
    scene.telegram.fail(TOKEN, "setWebhook", faults.SERVER_ERROR)
    return scene.api.post("bots/add", token=TOKEN)


@row("exists", "a chat that another campaign tracks")
def _(scene):
    place = _place(scene)
    scene.api.post("camp/add", **place)
    return scene.api.post("camp/add", **place)


@row("exists", "a chat that another account's paused campaign tracks")
def _(scene):
    place = _place(scene)
    scene.others_world.campaign(chat_id=place["chat"], status=1)
    return scene.api.post("camp/add", **place)


@row("nochat", "the bot is no administrator there")
def _(scene):
    return scene.api.post("camp/add", bot=scene.world.bot(), chat=-100)


@row("nochat", "a campaign for whom no bot administers its chat")
def _(scene):
    token, campaign = _token_of(scene, scene.other), scene.world.campaign()
    return scene.api.post("transfer/camp", token=token, id=campaign, leads=1)


@row("limit", "one campaign more than the plan has")
def _(scene):
    kitten = scene.make_account()
    world = scene.world_of(kitten.id)
    world.campaign()
    bot = world.bot()
    return scene.api(kitten.key).post("camp/add", bot=bot, chat=world.chat(bot))


@row("connect", "a tracker that is not there")
def _(scene):
    return scene.api.post("profile/tracker", domain="127.0.0.1:1", key="42-abc")


@row("active", "a plan with more than three days to go")
def _(scene):
    paid = scene.make_account(tariff="cat", paid_until=int(time.time()) + 4 * DAY)
    return scene.api(paid.key).post("tariff/buy", tariff="tiger")


@row("gateway", "there is no way to pay")
def _(scene):
    return scene.api(scene.make_account().key).post("tariff/buy", tariff="cat")


@row("recipient", "who should receive has no plan")
def _(scene):
    token = _token_of(scene, scene.make_account())
    return scene.api.post("transfer/bot", token=token, id=scene.world.bot(), leads=1)


def _check(answer, code):
    assert (answer["status"], answer["error"]) == ("error", code), answer
    assert answer["message"]
    assert set(answer) == {"status", "error", "message", *BESIDE.get(code, ())}


@pytest.mark.parametrize("name", ROWS)
def test_a_call_is_answered_with_the_documented_code(scene, name):
    code, play = ROWS[name]
    _check(play(scene), code)


def test_a_database_that_does_not_answer_is_db(live_app, account, settings):
    """Another process of this installation, whose database is away."""
    cut_off = create_app(settings(DATABASE_URL=NOWHERE))
    bearer = {"Authorization": f"Bearer {account.key}"}
    answer = cut_off.test_client().get("/api/profile/info.json", headers=bearer)
    assert answer.status_code == 200
    _check(answer.get_json(), "db")


def test_no_code_is_without_a_row():
    told = {code for code, _ in ROWS.values()} | {"db"}
    assert {code for code, _ in error_codes()} == told
