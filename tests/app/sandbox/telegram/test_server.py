from __future__ import annotations

import re
import threading
import time

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from app.sandbox.serving import running
from app.sandbox.telegram import faults, formatting, people
from app.sandbox.telegram.server import FOREVER, BotApiDouble
from tests.app.sandbox.conftest import TOKEN

ANN = people.Person(77, username="ann")
BEN = people.Person(78)
CHANNEL = people.Chat(-1001234567890, "A channel")


def test_get_me_tells_who_the_token_is(bot):
    assert bot("getMe")["result"]["username"] == "gate_bot"
    assert bot("getMe")["result"]["id"] == 123456


def test_an_unknown_token_is_unauthorized(double, session):
    answer = session.get(f"{double.url}/bot1:nobody/getMe", timeout=5)
    assert answer.status_code == 401
    assert answer.json() == {"ok": False, "error_code": 401, "description": "Unauthorized"}


def test_an_unknown_method_is_not_found(bot):
    assert bot("getLost")["error_code"] == 404


def test_names_of_methods_have_no_case(bot):
    assert bot("GETME")["ok"]


@pytest.mark.parametrize("how", ["json", "form", "multipart", "query"])
def test_parameters_come_in_every_way(double, session, how):
    url, params = f"{double.url}/bot{TOKEN}/sendMessage", {"chat_id": "77", "text": "hello"}
    ways = {
        "json": {"json": params},
        "form": {"data": params},
        "multipart": {"files": {name: (None, value) for name, value in params.items()}},
        "query": {"params": params},
    }
    assert session.post(url, timeout=5, **ways[how]).json()["ok"]
    assert [(one.chat_id, one.text) for one in double.sent(TOKEN)] == [(77, "hello")]


class TestWebhook:
    def test_it_is_read_back_as_set(self, bot, double):
        bot("setWebhook", url="http://127.0.0.1:1/x", secret_token="s", max_connections=7)
        info = bot("getWebhookInfo")["result"]
        assert (info["url"], info["max_connections"]) == ("http://127.0.0.1:1/x", 7)
        assert "s" not in info.values()
        assert double.webhook_secret(TOKEN) == "s"
        assert double.webhook_info(TOKEN) == info

    def test_setting_the_same_again_says_so(self, bot):
        hook = {"url": "https://example.org/x", "secret_token": "s"}
        assert bot("setWebhook", **hook)["description"] == "Webhook was set"
        assert bot("setWebhook", **hook)["description"] == "Webhook is already set"

    def test_omitting_the_secret_clears_it(self, bot, double):
        bot("setWebhook", url="https://example.org/x", secret_token="s")
        bot("setWebhook", url="https://example.org/x")
        assert not double.webhook_secret(TOKEN)

    def test_omitting_the_kinds_keeps_them(self, bot):
        bot("setWebhook", url="https://example.org/x", allowed_updates=["message"])
        bot("setWebhook", url="https://example.org/y")
        assert bot("getWebhookInfo")["result"]["allowed_updates"] == ["message"]

    def test_unknown_kinds_fall_out_and_nothing_left_is_the_default(self, bot):
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
    def test_a_refused_change_leaves_the_bot_without_a_hook(self, bot, wrong):
        bot("setWebhook", url="https://example.org/x", secret_token="s")
        assert bot("setWebhook", **{"url": "https://example.org/y", **wrong})["error_code"] == 400
        assert not bot("getWebhookInfo")["result"]["url"]

    @pytest.mark.parametrize("url", ["http://example.org/", "https://example.org:8000/"])
    def test_the_cloud_wants_https_and_few_ports(self, url, session):
        cloud = BotApiDouble(local=False)
        cloud.add_bot(TOKEN, "gate_bot")
        with running(cloud) as base:
            answer = session.post(f"{base}/bot{TOKEN}/setWebhook", json={"url": url}, timeout=5)
        assert answer.status_code == 400

    def test_the_cloud_wants_a_pause_between_changes(self, session):
        cloud = BotApiDouble(pace=1000)
        cloud.add_bot(TOKEN, "gate_bot")
        with running(cloud) as base:
            url = f"{base}/bot{TOKEN}/setWebhook"
            assert session.post(url, json={"url": "https://a.example/"}, timeout=5).ok
            answer = session.post(url, json={"url": "https://b.example/"}, timeout=5)
        assert answer.status_code == 429
        assert answer.json()["parameters"] == {"retry_after": 1}

    def test_deleting_keeps_the_backlog_unless_told(self, bot, double):
        double.push(TOKEN, people.start(ANN))
        bot("deleteWebhook")
        assert double.pending(TOKEN) == 1
        bot("deleteWebhook", drop_pending_updates=True)
        assert double.pending(TOKEN) == 0

    def test_an_empty_url_deletes(self, bot):
        bot("setWebhook", url="https://example.org/x")
        assert bot("setWebhook", url="")["description"] == "Webhook was deleted"


class TestUpdates:
    def test_only_kinds_that_were_asked_for_happen(self, bot, double):
        assert double.push(TOKEN, people.join(ANN, CHANNEL)) == 0
        assert double.push(TOKEN, people.bot_rights(CHANNEL, True)) > 0
        bot("getUpdates", allowed_updates=["chat_member"])
        assert double.push(TOKEN, people.join(ANN, CHANNEL)) > 0
        assert double.push(TOKEN, people.start(ANN)) == 0

    def test_ids_rise_by_one_and_a_given_one_is_kept(self, double):
        first = double.push(TOKEN, people.start(ANN))
        assert double.push(TOKEN, people.start(ANN)) == first + 1
        assert double.push(TOKEN, {"update_id": 5, **people.start(ANN)}) == 5
        assert double.push(TOKEN, people.start(ANN)) == 6

    def test_an_unknown_kind_goes_through(self, bot, double):
        double.push(TOKEN, {"subscription": {"odd": [1]}, "update_id": 3})
        # Not in the default list, since nobody knows it: as when the list is older.
        assert [update["update_id"] for update in bot("getUpdates")["result"]] == [3]

    def test_offset_confirms(self, bot, double):
        ids = [double.push(TOKEN, people.start(ANN)) for _ in range(3)]
        assert [one["update_id"] for one in bot("getUpdates", limit=2)["result"]] == ids[:2]
        left = bot("getUpdates", offset=ids[1] + 1)["result"]
        assert [one["update_id"] for one in left] == ids[2:]
        assert double.pending(TOKEN) == 1

    def test_ids_that_restart_lower_are_confirmed_too(self, bot, double):
        for number in (500, 3):
            double.push(TOKEN, {"update_id": number, **people.start(ANN)})
        assert bot("getUpdates", offset=4)["result"] == []

    def test_a_negative_offset_keeps_the_newest(self, bot, double):
        ids = [double.push(TOKEN, people.start(ANN)) for _ in range(3)]
        assert [one["update_id"] for one in bot("getUpdates", offset=-1)["result"]] == ids[2:]

    def test_a_long_poll_ends_when_something_happens(self, bot, double):
        answers: list[dict] = []
        poll = threading.Thread(target=lambda: answers.append(bot("getUpdates", timeout=20)))
        poll.start()
        while not double.calls(TOKEN, "getUpdates"):
            time.sleep(0.001)
        double.push(TOKEN, people.start(ANN))
        poll.join(15)
        assert len(answers[0]["result"]) == 1

    def test_polling_conflicts_with_a_webhook(self, bot):
        bot("setWebhook", url="https://example.org/x")
        assert bot("getUpdates")["error_code"] == 409

    def test_a_second_poll_ends_the_first(self, bot, double):
        answers: list[dict] = []
        poll = threading.Thread(target=lambda: answers.append(bot("getUpdates", timeout=20)))
        poll.start()
        while not double.calls(TOKEN, "getUpdates"):
            time.sleep(0.001)
        with requests.Session() as other:
            other.get(f"{double.url}/bot{TOKEN}/getUpdates", timeout=5)
        poll.join(15)
        assert answers[0]["error_code"] == 409


class TestSending:
    @pytest.mark.parametrize(
        ("text", "at"),
        [("snake_case", 5), ("*a_", 0), ("é [x", 3), ("`a``", 3), ("```x", 0), ("_a_ *", 4)],
    )
    def test_unbalanced_markdown_is_refused_with_its_byte(self, bot, double, text, at):
        answer = bot("sendMessage", chat_id=77, text=text, parse_mode="Markdown")
        assert answer["description"] == (
            "Bad Request: can't parse entities: "
            f"Can't find end of the entity starting at byte offset {at}"
        )
        assert double.sent() == []

    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("*bold* _it_", "bold it"),
            (r"snake\_case \* \` \[", "snake_case * ` ["),
            ("[here](https://example.org/a_b)", "here"),
            ("`a_b` ```c*d```", "a_b c*d"),
            ("a ] ) b", "a ] ) b"),
        ],
    )
    def test_markdown_is_shown_as_a_reader_sees_it(self, bot, double, text, shown):
        assert bot("sendMessage", chat_id=77, text=text, parse_mode="Markdown")["ok"]
        assert [one.shown for one in double.sent()] == [shown]

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"offset": 0, "length": 9}, "ends after the end of the text"),
            ({"offset": 1, "length": 1}, "middle of a UTF-16 symbol"),
            ({"offset": -1, "length": 1}, "incorrect offset -1"),
            ({"type": "text_link", "url": "https://intranet/x"}, "Wrong HTTP URL"),
            ({"type": "text_link", "url": ""}, "URL host is empty"),
        ],
    )
    def test_entities_that_are_not_of_the_text_are_refused(self, bot, double, fields, words):
        entity = {"type": "bold", "offset": 0, "length": 2} | fields
        answer = bot("sendMessage", chat_id=77, text="😀ab", entities=[entity])
        assert (answer["error_code"], words in answer["description"]) == (400, True)
        assert double.sent() == []

    def test_entities_are_taken_as_they_are(self, bot, double):
        entity = {"type": "bold", "offset": 0, "length": 2}
        assert bot("sendMessage", chat_id=77, text="😀_a", entities=[entity])["ok"]
        assert [(one.shown, one.entities) for one in double.sent()] == [("😀_a", [entity])]

    def test_a_button_must_lead_to_a_public_host(self, bot):
        markup = {"inline_keyboard": [[{"text": "Go", "url": "https://intranet/x"}]]}
        answer = bot("sendMessage", chat_id=77, text="x", reply_markup=markup)
        assert answer["description"] == (
            "Bad Request: inline keyboard button URL 'https://intranet/x' is invalid: "
            "Wrong HTTP URL"
        )

    def test_plain_text_is_not_parsed(self, bot):
        assert bot("sendMessage", chat_id=77, text="snake_case *")["ok"]

    def test_length_counts_after_parsing(self, bot):
        long = "*" + "a" * 4096 + "*"
        assert bot("sendMessage", chat_id=77, text=long, parse_mode="Markdown")["ok"]
        assert "too long" in bot("sendMessage", chat_id=77, text="a" * 4097)["description"]

    @pytest.mark.parametrize("text", ["", "  \n"])
    def test_an_empty_text_is_refused(self, bot, text):
        assert bot("sendMessage", chat_id=77, text=text)["error_code"] == 400

    @pytest.mark.parametrize("chat", ["", "me", "1; drop"])
    def test_a_chat_must_be_known_by_number(self, bot, chat):
        assert bot("sendMessage", chat_id=chat, text="x")["error_code"] == 400

    def test_photos_and_videos_are_kept_with_their_caption(self, bot, double, session):
        assert bot("sendPhoto", chat_id=77, photo="file-id", caption="look")["ok"]
        upload = {"video": ("v.mp4", b"12345", "video/mp4")}
        url = f"{double.url}/bot{TOKEN}/sendVideo"
        assert session.post(url, data={"chat_id": 77}, files=upload, timeout=5).ok
        photo, video = double.sent()
        assert (photo.method, photo.text) == ("sendPhoto", "look")
        assert video.params["video"] == {"file": "v.mp4", "size": 5}

    def test_join_requests_links_and_members_are_answered(self, bot, double):
        bot("getUpdates", allowed_updates=["chat_member"])
        double.push(TOKEN, people.member(ANN, CHANNEL, "left", "restricted"))
        assert bot("approveChatJoinRequest", chat_id=CHANNEL.id, user_id=77)["result"] is True
        link = bot("createChatInviteLink", chat_id=CHANNEL.id, name="ads")["result"]
        assert link["invite_link"].startswith("https://t.me/+")
        known = bot("getChatMember", chat_id=CHANNEL.id, user_id=77)["result"]
        assert (known["status"], known["is_member"]) == ("restricted", True)
        assert bot("getChatMember", chat_id=CHANNEL.id, user_id=5)["error_code"] == 400


class TestFaults:
    @pytest.mark.parametrize(
        ("name", "code"),
        [
            ("unauthorized", 401),
            ("blocked", 403),
            ("deactivated", 403),
            ("never_started", 403),
            ("kicked", 403),
            ("flood:4000", 429),
            ("moved:-100", 400),
            ("server_error", 500),
            ("bad_gateway", 502),
        ],
    )
    def test_a_fault_lasts_as_long_as_ordered(self, bot, double, name, code):
        double.fail(TOKEN, "sendMessage", name, times=2)
        codes = [bot("sendMessage", chat_id=1, text="x").get("error_code") for _ in range(3)]
        assert codes == [code, code, None]
        assert len(double.sent()) == 1

    def test_parameters_of_an_error_are_told(self, bot, double):
        double.fail(TOKEN, "*", faults.flood(4000))
        double.fail(TOKEN, "*", faults.moved(-100))
        assert bot("getMe")["parameters"] == {"retry_after": 4000}
        assert bot("getMe")["parameters"] == {"migrate_to_chat_id": -100}

    def test_a_fault_may_be_for_one_chat(self, bot, double):
        double.fail(TOKEN, "sendMessage", faults.BLOCKED, FOREVER, chat=77)
        assert bot("sendMessage", chat_id=78, text="x")["ok"]
        assert bot("sendMessage", chat_id=77, text="x")["error_code"] == 403
        double.heal(TOKEN)
        assert bot("sendMessage", chat_id=77, text="x")["ok"]

    @pytest.mark.parametrize(("name", "sent"), [("reset", 1), ("drop", 0)])
    def test_a_broken_connection_may_have_sent(self, bot, double, name, sent):
        double.fail(TOKEN, "sendMessage", name)
        with pytest.raises(requests.ConnectionError):
            bot("sendMessage", chat_id=77, text="x")
        assert len(double.sent()) == sent

    def test_a_malformed_answer_is_no_json(self, bot, double):
        double.fail(TOKEN, "getMe", faults.MALFORMED)
        with pytest.raises(requests.JSONDecodeError):
            bot("getMe")

    def test_a_hang_gives_no_answer_and_does_not_hold_the_end_up(self, double, session):
        double.fail(TOKEN, "getMe", faults.HANG)
        with pytest.raises(requests.ReadTimeout):
            session.get(f"{double.url}/bot{TOKEN}/getMe", timeout=0.2)

    def test_an_unknown_fault_is_named(self, double):
        with pytest.raises(ValueError, match="bad_gateway"):
            double.fail(TOKEN, "getMe", "gremlins")


def test_other_processes_drive_it_over_http(double, session):
    base, token = f"{double.url}/sandbox", "9:z"

    def post(path, **body):
        return session.post(f"{base}/{path}", json={"token": token, **body}, timeout=5)

    assert post("bots", username="new_bot").ok
    assert post("push", update=people.start(ANN)).json()[0] > 0
    assert session.get(f"{base}/pending", params={"token": token}, timeout=5).json() == 1
    assert post("fail", method="sendMessage", fault="blocked").ok
    assert post("fail", method="sendMessage", fault="gremlins").status_code == 400
    send = f"{double.url}/bot{token}/sendMessage"
    assert session.post(send, json={"chat_id": 1, "text": "x"}, timeout=5).status_code == 403
    assert session.post(send, json={"chat_id": 1, "text": "x"}, timeout=5).ok
    assert [one["text"] for one in session.get(f"{base}/sent", timeout=5).json()] == ["x"]
    assert session.get(f"{base}/state", timeout=5).json() == {"violations": [], "failures": {}}


def test_a_taken_port_is_an_error_and_not_a_hang(double):
    port = int(double.url.rpartition(":")[2])
    with pytest.raises(OSError, match="address"), running(BotApiDouble(), port=port):
        pass


@given(st.text())
def test_text_with_every_mark_escaped_is_shown_as_written(text):
    for mark in "_*`[":
        text = text.replace(mark, "\\" + mark)
    shown = formatting.plain(text)
    assert shown == text.replace("\\_", "_").replace("\\*", "*").replace("\\`", "`").replace(
        "\\[", "["
    )


@given(st.text(alphabet="_*`[]()\\a\n"))
def test_markdown_is_either_shown_or_refused(text):
    try:
        shown = formatting.plain(text)
    except formatting.Unparsable as error:
        shown = re.sub(r".*byte offset \d+", "", str(error))
    assert len(shown) <= len(text)
