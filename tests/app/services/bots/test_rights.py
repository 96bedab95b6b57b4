"""What Telegram tells of a bot's rights, in any order."""

from itertools import permutations

import pytest
from flask import Flask
from sqlalchemy import select

from app.domain.telegram.updates import RightsChanged
from app.extensions import db
from app.models import Account, Bot, BotChat, BotStatus, Campaign, CampaignStatus
from app.services.bots import bots, faults, rights, webhooks
from app.services.campaigns import campaigns

CHAT = -100_500
NOW = 1_800_000_000.0


@pytest.fixture
def bot(app: Flask, account: Account) -> Bot:
    bot = Bot(
        account_id=account.id,
        tg_id=4242,
        username="b",
        name="B",
        token="4242:x",
        webhook_path="p",
        created=1,
    )
    db.session.add(bot)
    db.session.commit()
    return bot


def _change(
    date: int, admin: bool, chat: int = CHAT, title: str = "News", invite: bool = True
) -> RightsChanged:
    return RightsChanged(chat, title, "channel", admin, admin and invite, date)


def _faults(bot: Bot) -> list[tuple[str, int]]:
    db.session.flush()
    return [(fault.kind, fault.chat_id) for fault in faults.of_bots([bot.id])]


def _campaign(bot: Bot, chat: int, code: str, status: int = CampaignStatus.ACTIVE) -> Campaign:
    campaign = Campaign(
        account_id=bot.account_id,
        bot_id=bot.id,
        chat_id=chat,
        chat_title="News",
        code=code,
        status=status,
        created=1,
    )
    db.session.add(campaign)
    db.session.commit()
    return campaign


def _chats(bot: Bot) -> list[int]:
    return [chat.chat_id for chat in bots.chats(bot.account_id, bot.id)]


def test_a_promotion_offers_the_chat(bot: Bot) -> None:
    rights.rights_changed(bot.id, _change(5, True), NOW)
    assert _chats(bot) == [CHAT]
    assert bot.status == BotStatus.ACTIVE


def test_lost_rights_warn_and_regained_ones_clear_it(bot: Bot) -> None:
    _campaign(bot, CHAT, "abc123")
    rights.rights_changed(bot.id, _change(5, True), NOW)
    rights.rights_changed(bot.id, _change(6, False), NOW)
    assert (bot.status, _faults(bot)) == (BotStatus.WARNING, [("rights", CHAT)])
    rights.rights_changed(bot.id, _change(7, True), NOW)
    assert (bot.status, _faults(bot)) == (BotStatus.ACTIVE, [])


def test_a_chat_that_nobody_tracks_needs_no_attention(bot: Bot) -> None:
    rights.rights_changed(bot.id, _change(5, True), NOW)
    rights.rights_changed(bot.id, _change(6, False), NOW)
    assert (bot.status, _chats(bot), _faults(bot)) == (BotStatus.ACTIVE, [], [])


def test_the_right_to_invite_is_missed_by_itself(bot: Bot) -> None:
    _campaign(bot, CHAT, "abc123")
    rights.rights_changed(bot.id, _change(5, True), NOW)
    rights.rights_changed(bot.id, _change(6, True, invite=False), NOW)
    assert (bot.status, _faults(bot)) == (BotStatus.WARNING, [("invite", CHAT)])
    rights.rights_changed(bot.id, _change(7, False), NOW)
    assert _faults(bot) == [("rights", CHAT)]
    rights.rights_changed(bot.id, _change(8, True, invite=False), NOW)
    assert _faults(bot) == [("invite", CHAT)]
    rights.rights_changed(bot.id, _change(9, True), NOW)
    assert (bot.status, _faults(bot)) == (BotStatus.ACTIVE, [])


def test_a_chat_that_is_tracked_no_more_needs_no_attention_any_more(
    bot: Bot, account: Account
) -> None:
    rights.rights_changed(bot.id, _change(5, True, invite=False), NOW)
    db.session.commit()
    campaign = campaigns.add(account.id, bot=bot.id, chat=CHAT)
    assert (bot.status, _faults(bot)) == (BotStatus.WARNING, [("invite", CHAT)])
    campaigns.remove(account.id, campaign.id)
    assert (bot.status, _faults(bot)) == (BotStatus.ACTIVE, [])


def test_a_bot_without_rights_in_a_moved_chat_still_needs_attention(bot: Bot) -> None:
    _campaign(bot, CHAT, "abc123")
    rights.rights_changed(bot.id, _change(5, True, invite=False), NOW)
    rights.chat_moved(bot.id, CHAT, -2, NOW)
    assert _faults(bot) == [("invite", -2)]


@pytest.mark.parametrize(
    "order", list(permutations([(5, True), (6, False), (8, True), (9, False)]))
)
def test_the_newest_news_wins_in_any_order(bot: Bot, order: list[tuple[int, bool]]) -> None:
    _campaign(bot, CHAT, "abc123")
    for date, admin in order:
        rights.rights_changed(bot.id, _change(date, admin), NOW)
    db.session.flush()
    (chat,) = db.session.scalars(select(BotChat))
    assert (chat.is_admin, chat.changed, chat.title) == (False, 9, "News")
    assert (bot.status, _faults(bot)) == (BotStatus.WARNING, [("rights", CHAT)])


def test_a_stranger_who_adds_the_bot_to_a_group_warns_nobody(bot: Bot) -> None:
    rights.rights_changed(bot.id, _change(5, False), NOW)
    assert (bot.status, _chats(bot)) == (BotStatus.ACTIVE, [])


def test_a_paused_bot_stays_a_warning(bot: Bot) -> None:
    webhooks.pause(bot.id, "Telegram refused the token")
    rights.rights_changed(bot.id, _change(5, True), NOW)
    assert bot.status == BotStatus.WARNING


def test_a_deleted_bot_stays_deleted(bot: Bot) -> None:
    bot.status = BotStatus.DELETED
    rights.rights_changed(bot.id, _change(5, True), NOW)
    faults.refresh_status(bot.id)
    assert bot.status == BotStatus.DELETED


def test_a_chat_with_a_living_campaign_is_not_offered(bot: Bot) -> None:
    rights.rights_changed(bot.id, _change(5, True), NOW)
    campaign = _campaign(bot, CHAT, "abc123")
    assert _chats(bot) == []
    campaign.status = CampaignStatus.DELETED
    db.session.commit()
    assert _chats(bot) == [CHAT]


def test_a_title_longer_than_its_column_is_cut(bot: Bot) -> None:
    rights.rights_changed(bot.id, _change(5, True, title="я" * 300), NOW)
    db.session.flush()
    assert len(db.session.scalars(select(BotChat)).one().title) == 255


def test_a_supergroup_takes_the_campaign_along(bot: Bot) -> None:
    rights.rights_changed(bot.id, _change(5, True), NOW)
    campaign = _campaign(bot, CHAT, "abc123")
    for _ in range(2):  # Telegram tells it in both chats
        rights.chat_moved(bot.id, CHAT, -2, NOW)
        db.session.commit()
        assert campaign.chat_id == -2
        (chat,) = db.session.scalars(select(BotChat))
        assert (chat.chat_id, chat.is_admin, chat.type) == (-2, True, "supergroup")


def test_rights_told_in_the_new_chat_first_are_kept(bot: Bot) -> None:
    rights.rights_changed(bot.id, _change(5, True), NOW)
    rights.rights_changed(bot.id, _change(9, True, chat=-2, title="New"), NOW)
    rights.chat_moved(bot.id, CHAT, -2, NOW)
    db.session.commit()
    (chat,) = db.session.scalars(select(BotChat))
    assert (chat.chat_id, chat.title) == (-2, "New")


def test_a_move_onto_a_tracked_chat_breaks_nothing(bot: Bot) -> None:
    old, new = _campaign(bot, CHAT, "aaaaaa"), _campaign(bot, -2, "bbbbbb")
    rights.chat_moved(bot.id, CHAT, -2, NOW)
    db.session.commit()
    assert (old.chat_id, new.chat_id) == (CHAT, -2)
