"""After a restart, and after a crash, no update id comes again, and chats are as they were."""

import json
from pathlib import Path

import pytest

from app.sandbox.play.memory import MARGIN, Memory, Unreadable
from app.sandbox.telegram import people
from app.sandbox.telegram.server import BotApiDouble
from tests.app.sandbox.conftest import TOKEN

ANN, BEN = people.Person(77), people.Person(78)
CHAT = people.Chat(-1001, "News")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "sandbox.json"


def restarted(path: Path) -> BotApiDouble:
    double = BotApiDouble()
    Memory(path).restore(double)
    return double


@pytest.fixture
def double() -> BotApiDouble:
    double = BotApiDouble()
    double.add_bot(TOKEN, "gate_bot")
    return double


def test_a_first_start_has_nothing_to_restore(path):
    assert restarted(path).bots() == []


def test_ids_go_on_by_one_after_a_clean_stop(double, path):
    last = double.push(TOKEN, people.start(ANN))
    Memory(path).save(double, margin=0)
    assert restarted(path).push(TOKEN, people.start(ANN)) == last + 1
    assert path.stat().st_mode & 0o777 == 0o600


def test_no_id_comes_again_after_a_crash(double, path):
    memory = Memory(path)
    memory.save(double)
    for _ in range(3):
        last = double.push(TOKEN, people.start(ANN))
        memory.save(double)
    assert last < restarted(path).push(TOKEN, people.start(ANN)) <= last + MARGIN


def test_the_file_is_written_when_something_changed_and_when_ids_run_out(double, path):
    memory = Memory(path)
    memory.save(double)
    before = path.stat().st_ino
    memory.save(double)
    assert path.stat().st_ino == before
    for number in range(MARGIN):
        double.push(TOKEN, people.start(ANN))
        if number % 100 == 0:
            memory.save(double)
    assert restarted(path).bots()[0].backlog.next_update_id > double.push(TOKEN, people.start(ANN))


def test_chats_webhooks_and_what_was_asked_for_are_found_again(double, path):
    [bot] = double.bots()
    bot.subscription.allow(["message", "chat_member", "chat_join_request"])
    link = bot.chats.links.add(CHAT.id)
    double.push(TOKEN, people.bot_rights(CHAT, True, bot=people.Person(123456, is_bot=True)))
    double.push(TOKEN, people.join(ANN, CHAT, how=people.by_link(link.url)))
    double.push(TOKEN, people.join_request(BEN, CHAT))
    double.push(TOKEN, people.bot_blocked(ANN))
    Memory(path).save(double, margin=0)
    [again] = restarted(path).bots()
    assert again.subscription == bot.subscription
    assert again.chats.as_json() == bot.chats.as_json()
    assert again.chats.requests.of(CHAT.id) == [BEN.id]
    assert again.chats.links.get(CHAT.id, link.url).members == {ANN.id}
    assert [one["user"]["id"] for one in again.chats.people_in(CHAT.id)] == [ANN.id]


@pytest.mark.parametrize("text", ["", "[]", "{}", json.dumps({"bots": [{"token": "1:a"}]})])
def test_another_file_is_refused_by_its_name(path, text):
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(Unreadable, match=r"sandbox\.json"):
        restarted(path)
