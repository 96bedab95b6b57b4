"""Each webhook has one sender, and stopping the double loses nothing."""

from app.sandbox.serving import running
from app.sandbox.telegram import people
from app.sandbox.telegram.server import BotApiDouble
from tests.app.sandbox.conftest import TOKEN, Bot

ANN = people.Person(77)


def test_a_bot_without_a_webhook_keeps_its_updates(double):
    double.push(TOKEN, people.start(ANN))
    assert double.pending(TOKEN) == 1


def test_what_happened_while_the_double_was_stopped_is_sent_after_it(tracker, session):
    double = BotApiDouble(time_scale=0.01)
    double.add_bot(TOKEN, "gate_bot")
    with running(double) as url:
        assert Bot(url, TOKEN, session)("setWebhook", url=f"{tracker.url}/ok/hook")["ok"]
    double.push(TOKEN, people.start(ANN))
    assert tracker.log() == []
    with running(double):
        assert double.drained()
    assert len(tracker.log()) == 1
