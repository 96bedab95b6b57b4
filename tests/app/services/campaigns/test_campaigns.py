"""A code is unique, and of two additions at once one gets the last place."""

import threading

import pytest

from app.errors import ApiError
from app.extensions import db
from app.models import Campaign, CampaignStatus
from app.services.campaigns import campaigns


@pytest.fixture
def place(world):
    """A bot and a chat it administers."""
    bot = world.bot()
    return {"bot": bot, "chat": world.chat(bot)}


def test_a_taken_code_is_replaced_by_another(app, account, place, world, monkeypatch):
    taken = db.session.get(Campaign, world.campaign()).code
    codes = iter([taken, taken, "fresh1"])
    monkeypatch.setattr(campaigns, "new_code", lambda: next(codes))
    made = campaigns.add(account.id, **place, urls={})
    assert made.code == "fresh1"


def test_of_two_who_add_at_once_the_limit_lets_one_pass(live_app, make_account, world_of):
    kitten = make_account()
    world = world_of(kitten.id)
    bot = world.bot()
    chats = [world.chat(bot), world.chat(bot)]
    ready, outcomes = threading.Barrier(2), []

    def add(chat: int) -> None:
        with live_app.app_context():
            ready.wait()
            try:
                campaigns.add(kitten.id, bot=bot, chat=chat, urls={})
                outcomes.append("ok")
            except ApiError as error:
                outcomes.append(error.code)
                db.session.rollback()

    threads = [threading.Thread(target=add, args=(chat,)) for chat in chats]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["limit", "ok"]


def test_of_two_accounts_who_add_one_chat_at_once_one_gets_it(live_app, make_account, world_of):
    owners = [make_account(), make_account()]
    bots = [world_of(owner.id).bot() for owner in owners]
    for bot in bots:
        world_of(0).chat(bot, chat_id=-4242)
    ready, outcomes = threading.Barrier(2), []

    def add(owner: int, bot: int) -> None:
        with live_app.app_context():
            ready.wait()
            try:
                campaigns.add(owner, bot=bot, chat=-4242, urls={})
                outcomes.append("ok")
            except ApiError as error:
                outcomes.append(error.code)
                db.session.rollback()

    threads = [
        threading.Thread(target=add, args=(owner.id, bot))
        for owner, bot in zip(owners, bots, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["exists", "ok"]


def test_titles_and_faults_of_welcomes_are_told_of_what_lives(app, account, world, others_world):
    others_world.campaign(welcome_fault="theirs")
    world.campaign(status=CampaignStatus.DELETED, welcome_fault="old")
    first = world.campaign(chat_title="News")
    second = world.campaign(chat_title="Art", welcome_fault="the photo is gone")
    assert [tuple(row) for row in campaigns.titles(account.id)] == [
        (second, "Art"), (first, "News"),
    ]  # fmt: skip
    (row,) = campaigns.with_welcome_fault(account.id)
    assert tuple(row) == (second, "Art", "the photo is gone")
