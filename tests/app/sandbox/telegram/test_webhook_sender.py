import json
import time

import requests

from app.sandbox.serving import running
from app.sandbox.telegram import people
from app.sandbox.telegram.server import BotApiDouble
from app.sandbox.telegram.webhook_sender import SECRET_HEADER
from app.sandbox.vendors.tracker import TrackerDouble
from tests.app.sandbox.conftest import TOKEN
from tests.support.echo import Echo
from tests.support.waiting import eventually

ANN = people.Person(77)
BEN = people.Person(78)
CHANNEL = people.Chat(-1001)
OTHER = people.Chat(-1002)


def ids(hits):
    return [json.loads(hit.body)["update_id"] for hit in hits]


def test_an_update_arrives_with_the_secret(double, tracker, hook):
    hook("/ok/hook", secret_token="s3cret")
    number = double.push(TOKEN, people.start(ANN, "abc123-click", date=5))
    assert double.drained()
    (hit,) = tracker.log()
    assert (hit.method, hit.headers[SECRET_HEADER.lower()]) == ("POST", "s3cret")
    assert json.loads(hit.body)["message"]["text"] == "/start abc123-click"
    assert ids([hit]) == [number]


def test_a_backlog_is_delivered_once_there_is_a_hook(double, tracker, hook):
    number = double.push(TOKEN, people.start(ANN))
    hook("/ok/hook")
    assert double.drained()
    assert ids(tracker.log()) == [number]


def test_the_first_retry_comes_at_once_and_order_holds_in_a_queue(double, tracker, hook):
    hook("/flaky/3/hook")
    numbers = [double.push(TOKEN, people.start(ANN)) for _ in range(3)]
    assert double.drained()
    assert ids(tracker.log()) == [numbers[0]] * 4 + numbers[1:]
    assert double.failures == {500: 3}
    assert double.webhook_info(TOKEN)["last_error_message"].endswith("500")


def test_one_queue_that_fails_holds_no_other_up(double, tracker, hook):
    hook("/ok/hook")
    tracker.set_mode("/ok/hook", "hang")
    stuck = double.push(TOKEN, people.start(ANN))
    tracker.wait_for(1)
    tracker.set_mode("/ok/hook", "ok")
    number = double.push(TOKEN, people.start(BEN))
    tracker.wait_for(2)
    assert ids(tracker.log()) == [stuck, number]
    eventually(lambda: double.pending(TOKEN) == 1, what="the other queue's update as taken")


def test_max_connections_is_kept(double, tracker, hook):
    hook("/hang/hook", max_connections=2)
    for person in range(5):
        double.push(TOKEN, people.start(people.Person(person + 1)))
    tracker.wait_for(2)
    assert tracker.counters.peak == 2
    tracker.set_mode("/hang", "ok")
    hook("/hang/hook2")
    assert double.drained()


def test_what_was_in_flight_comes_again_at_the_new_address(double, tracker, hook):
    hook("/hang/old")
    number = double.push(TOKEN, people.start(ANN))
    tracker.wait_for(1)
    hook("/ok/new")
    assert double.drained()
    assert [(hit.path, *ids([hit])) for hit in tracker.log()] == [
        ("/hang/old", number),
        ("/ok/new", number),
    ]


def test_retry_after_is_obeyed(double, tracker, hook):
    hook("/slow-down/hook?seconds=30")
    double.push(TOKEN, people.start(ANN))
    first = tracker.wait_for(1)[0]
    tracker.set_mode("/slow-down", "ok")
    assert double.drained()
    assert tracker.log()[1].time - first.time >= 0.29  # 30 s, scaled; at once without the header


def test_an_update_expires(double, tracker, hook):
    hook("/dead/hook", allowed_updates=["callback_query"])
    double.push(TOKEN, {"callback_query": {"from": ANN.user(), "id": "1"}})
    assert double.drained(20)  # 150 s, scaled
    assert 2 <= len(tracker.log()) <= 10


def test_a_hook_that_is_gone_for_a_day_is_closed():
    hasty = BotApiDouble(time_scale=1e-6)
    hasty.add_bot(TOKEN, "gate_bot")
    tracker = TrackerDouble()
    with running(hasty) as url, running(tracker) as tracker_url:
        requests.post(
            f"{url}/bot{TOKEN}/setWebhook", json={"url": f"{tracker_url}/gone"}, timeout=5
        )
        for _ in range(5000):
            hasty.push(TOKEN, people.start(ANN))
            hasty.drained(0.01)
            if not hasty.webhook_info(TOKEN)["url"]:
                break
        assert hasty.webhook_info(TOKEN)["url"] == ""
        assert tracker.log()


def test_a_method_in_the_answer_is_a_violation(double, bot):
    with running(Echo(b'{"method":"sendMessage","chat_id":1}')) as url:
        bot("setWebhook", url=url)
        double.push(TOKEN, people.start(ANN))
        assert double.drained()
    assert ["sendMessage" in text for text in double.violations] == [True]


def test_a_host_that_is_away_gets_it_when_it_is_back(double, tracker, bot, hook):
    bot("setWebhook", url="http://127.0.0.1:1/hook")
    double.push(TOKEN, people.start(ANN))
    while not double.failures[0]:
        time.sleep(0.001)
    hook("/ok/hook")
    assert double.drained()
