"""A webhook is set, changed, read back and deleted as Telegram does it."""

import pytest

from app.sandbox.serving import running
from app.sandbox.telegram import people
from app.sandbox.telegram.server import BotApiDouble
from tests.app.sandbox.conftest import TOKEN

ANN = people.Person(77, username="ann")
BEN = people.Person(78)
CHANNEL = people.Chat(-1001234567890, "A channel")


def test_it_is_read_back_as_set(bot, double):
    bot("setWebhook", url="http://127.0.0.1:1/x", secret_token="s", max_connections=7)
    info = bot("getWebhookInfo")["result"]
    assert (info["url"], info["max_connections"]) == ("http://127.0.0.1:1/x", 7)
    assert "s" not in info.values()
    assert double.webhook_secret(TOKEN) == "s"
    assert double.webhook_info(TOKEN) == info


def test_setting_the_same_again_says_so(bot):
    hook = {"url": "https://example.org/x", "secret_token": "s"}
    assert bot("setWebhook", **hook)["description"] == "Webhook was set"
    assert bot("setWebhook", **hook)["description"] == "Webhook is already set"


def test_omitting_the_secret_clears_it(bot, double):
    bot("setWebhook", url="https://example.org/x", secret_token="s")
    bot("setWebhook", url="https://example.org/x")
    assert not double.webhook_secret(TOKEN)


def test_omitting_the_kinds_keeps_them(bot):
    bot("setWebhook", url="https://example.org/x", allowed_updates=["message"])
    bot("setWebhook", url="https://example.org/y")
    assert bot("getWebhookInfo")["result"]["allowed_updates"] == ["message"]


def test_unknown_kinds_fall_out_and_nothing_left_is_the_default(bot):
    bot("setWebhook", url="https://example.org/x", allowed_updates=["message", "gossip"])
    assert bot("getWebhookInfo")["result"]["allowed_updates"] == ["message"]
    bot("setWebhook", url="https://example.org/x", allowed_updates=["gossip"])
    assert "allowed_updates" not in bot("getWebhookInfo")["result"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret_token": "a b"},
        {"secret_token": "s" * 257},
        {"secret_token": "sécret"},
        {"url": "ftp://example.org/"},
        {"url": "https://exa mple.org/"},
        {"url": "https:///x"},
        {"url": "https://example.org:port/"},
    ],
)
def test_a_refused_change_leaves_the_bot_without_a_hook(bot, wrong):
    bot("setWebhook", url="https://example.org/x", secret_token="s")
    assert bot("setWebhook", **{"url": "https://example.org/y", **wrong})["error_code"] == 400
    assert not bot("getWebhookInfo")["result"]["url"]


@pytest.mark.parametrize("url", ["http://example.org/", "https://example.org:8000/"])
def test_the_cloud_wants_https_and_few_ports(url, session):
    cloud = BotApiDouble(local=False)
    cloud.add_bot(TOKEN, "gate_bot")
    with running(cloud) as base:
        answer = session.post(f"{base}/bot{TOKEN}/setWebhook", json={"url": url}, timeout=60)
    assert answer.status_code == 400


def test_the_cloud_wants_a_pause_between_changes(session):
    cloud = BotApiDouble(pace=1000)
    cloud.add_bot(TOKEN, "gate_bot")
    with running(cloud) as base:
        url = f"{base}/bot{TOKEN}/setWebhook"
        assert session.post(url, json={"url": "https://a.example/"}, timeout=60).ok
        answer = session.post(url, json={"url": "https://b.example/"}, timeout=60)
    assert answer.status_code == 429
    assert answer.json()["parameters"] == {"retry_after": 1}


def test_deleting_keeps_the_backlog_unless_told(bot, double):
    double.push(TOKEN, people.start(ANN))
    bot("deleteWebhook")
    assert double.pending(TOKEN) == 1
    bot("deleteWebhook", drop_pending_updates=True)
    assert double.pending(TOKEN) == 0


def test_an_empty_url_deletes(bot):
    bot("setWebhook", url="https://example.org/x")
    assert bot("setWebhook", url="")["description"] == "Webhook was deleted"
