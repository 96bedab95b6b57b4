"""A fault of a bot is recorded and told once, and told again when it is over."""

from threading import Barrier, Thread

import pytest
from sqlalchemy import select

from app.extensions import db
from app.models import Bot, BotFaultKind, BotStatus, Notice, NoticeKind
from app.services.bots import faults
from tests.support.desk import rows


@pytest.fixture
def bot(desk, ann, make_campaign):
    return make_campaign(ann.id)[0]


def status(bot):
    return rows(select(Bot).where(Bot.id == bot))[0].status


def notices():
    return [notice.kind for notice in rows(select(Notice).order_by(Notice.id))]


@pytest.mark.parametrize("kind", BotFaultKind)
def test_a_fault_is_told_once_and_told_when_it_is_over(bot, kind):
    assert faults.begin(bot, kind, 10.0, chat_id=-1, title="News")
    assert not faults.begin(bot, kind, 11.0, chat_id=-1, title="News")
    db.session.commit()
    assert (status(bot), notices()) == (BotStatus.WARNING, [kind.value])
    assert faults.end(bot, kind, 12.0, chat_id=-1)
    assert not faults.end(bot, kind, 13.0, chat_id=-1)
    db.session.commit()
    assert (status(bot), notices()) == (BotStatus.ACTIVE, [kind.value, NoticeKind.OVER])


def test_a_bot_needs_attention_until_its_last_fault_is_over(bot):
    faults.begin(bot, BotFaultKind.RIGHTS, 10.0, chat_id=-1)
    faults.begin(bot, BotFaultKind.RIGHTS, 10.0, chat_id=-2)
    faults.end(bot, BotFaultKind.RIGHTS, 11.0, chat_id=-1)
    db.session.commit()
    assert status(bot) == BotStatus.WARNING
    faults.end(bot, BotFaultKind.RIGHTS, 11.0, chat_id=-2, tell=False)
    db.session.commit()
    assert (status(bot), notices()) == (BotStatus.ACTIVE, ["rights", "rights", "over"])


def test_two_processes_that_notice_one_fault_tell_it_once(live_app, bot):
    barrier, new = Barrier(2), []

    def notice() -> None:
        with live_app.app_context():
            barrier.wait(60)
            new.append(faults.begin(bot, BotFaultKind.POLLING, 10.0))
            db.session.commit()

    threads = [Thread(target=notice) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(new) == [False, True]
    assert notices() == ["polling"]


def test_a_deleted_bot_stays_deleted_whatever_is_wrong_with_it(bot):
    db.session.get_one(Bot, bot).status = BotStatus.DELETED
    faults.begin(bot, BotFaultKind.WEBHOOK, 10.0)
    faults.forget(bot)
    db.session.commit()
    assert status(bot) == BotStatus.DELETED
    assert list(faults.of_bots([bot])) == []
