"""The slow check finds what Telegram does not tell, has it told once, and mends what it may."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select, update

from app.extensions import db
from app.models import Account, Bot, BotChat, BotStatus, Campaign, Notice
from app.sandbox.telegram import faults as telegram_faults
from app.sandbox.telegram import people
from app.sandbox.telegram.people import Chat
from app.services.bots import bots, checks, faults, rights, webhooks
from app.services.campaigns import campaigns
from tests.support.bot_api import heal
from tests.support.desk import rows
from tests.support.track_bot import BASE, TOKEN

NEWS = Chat(-100_500, "News")
TRACKBOT = people.Person(4242, is_bot=True)
FOREIGN = "http://127.0.0.1:8/another/program"


@dataclass
class Owner:
    """Somebody with one bot, whose clock is in the hands of a test."""

    telegram: Any
    account_id: int
    bot: int
    now: float = field(default_factory=time.time)

    def wait(self, seconds: float = checks.CHECK_SECONDS) -> None:
        """Let time pass, and look after the bots as the clock does."""
        self.now += seconds
        checks.check(self.now)
        webhooks.reconcile()

    def faults(self) -> list[str]:
        found = [fault.kind for fault in faults.of_bots([self.bot])]
        status = rows(select(Bot).where(Bot.id == self.bot))[0].status
        assert status == (BotStatus.WARNING if found else BotStatus.ACTIVE)
        return found

    def told(self) -> list[str]:
        return [notice.kind for notice in rows(select(Notice).order_by(Notice.id))]

    def take_webhook(self, **params: Any) -> None:
        """Another program registers a webhook of its own, over HTTP."""
        webhooks.api_of(TOKEN).call("setWebhook", **{"url": FOREIGN} | params)

    @property
    def webhook(self) -> str:
        return str(self.telegram.webhook_info(TOKEN)["url"])

    @property
    def own_webhook(self) -> str:
        bot = rows(select(Bot).where(Bot.id == self.bot))[0]
        return f"{BASE}/telegram/{bot.webhook_path}"

    def campaign(self, chat: int = NEWS.id, title: str = "News") -> int:
        db.session.add(
            BotChat(
                bot_id=self.bot, chat_id=chat, title=title, type="channel", is_admin=True, changed=1
            )
        )
        db.session.flush()
        return campaigns.add(self.account_id, bot=self.bot, chat=chat).id


@pytest.fixture
def owner(telegram: Any, account: Account, change_settings: Callable[..., None]) -> Owner:
    """An owner who hears of things, with a bot that was just checked."""
    checks.BUCKETS.forget()
    change_settings(service_bot_token="5151:AAservice")
    db.session.execute(update(Account).values(tg_id=77))
    owner = Owner(telegram, account.id, bots.add(account.id, TOKEN).id)
    owner.wait(0)
    assert (owner.faults(), owner.told()) == ([], [])
    return owner


@pytest.mark.parametrize(
    "params", [{}, {"url": ""}, {"url": "own", "allowed_updates": ["message"]}]
)
def test_a_webhook_that_was_taken_is_told_and_set_again(
    owner: Owner, params: dict[str, Any]
) -> None:
    own = owner.own_webhook
    owner.take_webhook(**{**params, "url": own} if params.get("url") == "own" else params)
    owner.wait()
    assert (owner.faults(), owner.told()) == (["webhook"], ["webhook"])
    assert owner.webhook == own
    assert "chat_member" in owner.telegram.webhook_info(TOKEN)["allowed_updates"]
    owner.wait()
    assert owner.faults() == ["webhook"]  # it was taken just now
    owner.wait(checks.QUIET_SECONDS)
    assert (owner.faults(), owner.told()) == ([], ["webhook", "over"])


def test_what_telegram_tells_of_its_deliveries_is_kept_without_the_secret_path(
    owner: Owner, monkeypatch
) -> None:
    path = owner.own_webhook.rpartition("/")[2]
    info = dict(
        owner.telegram.webhook_info(TOKEN),
        pending_update_count=7,
        last_error_date=1_790_000_000,
        last_error_message=f"Wrong response from {path}: 500" + "!" * 300,
    )
    monkeypatch.setattr(checks.telegram, "read", lambda *_: info)
    owner.wait()
    (bot,) = rows(select(Bot))
    assert (bot.webhook_pending, bot.webhook_error_time) == (7, 1_790_000_000)
    assert bot.webhook_error.startswith("Wrong response from …: 500!")
    assert len(bot.webhook_error) <= checks.MAX_ERROR
    for odd in ("many", -1, True, 1 << 40):
        info |= {"pending_update_count": odd, "last_error_date": odd}
        owner.wait()
    (bot,) = rows(select(Bot))
    assert (bot.webhook_pending, bot.webhook_error, bot.webhook_error_time) == (0, "", 0)


def test_two_programs_do_not_fight_for_ever(owner: Owner) -> None:
    for _ in range(faults.MAX_REPAIRS):
        owner.take_webhook()
        owner.wait()
        assert owner.webhook == owner.own_webhook
    assert owner.told() == ["webhook"]
    owner.take_webhook()
    for _ in range(3):
        owner.wait()
        owner.wait(checks.QUIET_SECONDS)
        assert (owner.faults(), owner.told()) == (["webhook"], ["webhook", "webhook"])
        assert owner.webhook == FOREIGN
    (listed,) = bots.list_with_faults(owner.account_id)
    assert "leave it alone" in listed.faults[0].message
    db.session.commit()
    bots.add(owner.account_id, TOKEN)
    assert owner.webhook == owner.own_webhook
    assert (owner.faults(), owner.told()) == ([], ["webhook", "webhook", "over"])
    owner.take_webhook()
    owner.wait()
    assert owner.webhook == owner.own_webhook, "the bound counts for each fault anew"


def test_a_webhook_that_nobody_holds_any_more_is_set_again_also_after_it_was_given_up(
    owner: Owner,
) -> None:
    for _ in range(faults.MAX_REPAIRS + 1):
        owner.take_webhook()
        owner.wait()
    assert owner.webhook == FOREIGN
    owner.take_webhook(url="")
    owner.wait()
    assert owner.webhook == owner.own_webhook
    owner.wait(checks.QUIET_SECONDS)
    assert (owner.faults(), owner.told()) == ([], ["webhook", "webhook", "over"])


def test_a_webhook_that_is_not_registered_yet_is_left_to_those_who_register_it(
    owner: Owner, change_settings: Callable[..., None]
) -> None:
    change_settings(public_url="http://127.0.0.1:10")
    owner.now += checks.CHECK_SECONDS
    checks.check(owner.now)
    assert (owner.faults(), owner.told()) == ([], [])


def test_a_revoked_token_is_told_and_so_is_its_return(owner: Owner) -> None:
    owner.telegram.fail(TOKEN, "*", telegram_faults.UNAUTHORIZED, times=-1)
    owner.wait()
    owner.wait()
    assert (owner.faults(), owner.told()) == (["token"], ["token"])
    heal(owner.telegram, TOKEN)
    owner.wait()
    assert (owner.faults(), owner.told()) == ([], ["token", "over"])
    assert rows(select(Bot))[0].paused == ""


def test_a_new_token_ends_the_fault_of_the_old_one(owner: Owner) -> None:
    owner.telegram.fail(TOKEN, "*", telegram_faults.UNAUTHORIZED, times=-1)
    owner.wait()
    new = TOKEN.replace("AAsecret", "AAnewest")
    owner.telegram.add_bot(new, "trackbot", "Track Bot")
    bots.add(owner.account_id, new)
    assert (owner.faults(), owner.told()) == ([], ["token", "over"])


@pytest.mark.parametrize(
    "fault",
    [
        telegram_faults.SERVER_ERROR,
        telegram_faults.flood(5),
        telegram_faults.DROP,
        telegram_faults.MALFORMED,
    ],
)
def test_a_telegram_that_does_not_answer_is_nobodys_fault(owner: Owner, fault: Any) -> None:
    owner.campaign()
    owner.telegram.fail(TOKEN, "*", fault, times=-1)
    owner.wait()
    assert (owner.faults(), owner.told()) == ([], [])


def test_rights_lost_while_updates_went_elsewhere_are_noticed(owner: Owner) -> None:
    owner.campaign()
    owner.telegram.push(TOKEN, people.bot_rights(NEWS, admin=True))
    owner.wait()
    assert owner.faults() == []
    lost = people.bot_rights(NEWS, admin=True)
    lost["my_chat_member"]["new_chat_member"]["can_invite_users"] = False
    owner.telegram.push(TOKEN, lost)
    owner.wait()
    assert (owner.faults(), owner.told()) == (["invite"], ["invite"])
    owner.telegram.push(TOKEN, people.bot_rights(NEWS, admin=False))
    owner.wait()
    assert (owner.faults(), owner.told()) == (["rights"], ["invite", "rights"])
    owner.telegram.push(TOKEN, people.bot_rights(NEWS, admin=True))
    owner.wait()
    assert (owner.faults(), owner.told()) == ([], ["invite", "rights", "over"])


@pytest.mark.parametrize("fault", [telegram_faults.KICKED, telegram_faults.CHAT_NOT_FOUND])
def test_a_chat_that_telegram_hides_from_the_bot_is_lost(owner: Owner, fault: Any) -> None:
    owner.campaign()
    owner.telegram.fail(TOKEN, "getChatMember", fault, times=-1)
    owner.wait()
    assert owner.faults() == ["rights"]


def test_a_bot_that_comes_back_asks_for_its_rights(owner: Owner) -> None:
    chats = [Chat(-100_600 - number, f"Chat {number}") for number in range(checks.CHATS + 2)]
    for number, chat in enumerate(chats):
        owner.campaign(chat.id, chat.title)
        owner.telegram.push(TOKEN, people.bot_rights(chat, admin=number > 0))
    bots.remove(owner.account_id, owner.bot)
    bots.add(owner.account_id, TOKEN)
    assert owner.faults() == [], "nothing is known yet"
    for _ in range(2):  # more chats than one check asks for: the next one comes at once
        owner.wait(checks.RATE.interval)
    assert (owner.faults(), owner.told()) == (["rights"], ["rights"])
    known = rows(select(BotChat).order_by(BotChat.chat_id.desc()))
    assert [row.is_admin for row in known] == [number > 0 for number in range(len(chats))]


def test_what_telegram_reported_a_moment_ago_counts_more_than_an_answer(owner: Owner) -> None:
    owner.campaign()
    at = int(owner.now)
    db.session.execute(update(BotChat).values(changed=at))
    rights.checked(owner.bot, NEWS.id, (False, False), at + rights.SKEW_SECONDS)
    db.session.flush()
    assert db.session.scalars(select(BotChat.is_admin)).one()
    rights.checked(owner.bot, NEWS.id, (False, False), at + rights.SKEW_SECONDS + 1)
    db.session.flush()
    assert not db.session.scalars(select(BotChat.is_admin)).one()
    db.session.commit()


def test_a_chat_that_moved_is_followed(owner: Owner) -> None:
    owner.campaign()
    owner.telegram.fail(TOKEN, "getChatMember", telegram_faults.moved(-100_999), times=1)
    owner.wait()
    assert rows(select(Campaign))[0].chat_id == -100_999
    assert owner.faults() == []


def test_each_bot_is_checked_once_in_its_turn_and_all_of_them_within_the_rate(
    owner: Owner, telegram: Any
) -> None:
    tokens = [f"{5000 + number}:AAother" for number in range(checks.RATE.burst + 5)]
    for token in tokens:
        telegram.add_bot(token, f"other{token[:4]}")
    for number, token in enumerate(tokens):
        db.session.add(
            Bot(
                account_id=owner.account_id,
                tg_id=int(token[:4]),
                username="b",
                name="B",
                token=token,
                webhook_path=f"p{number}",
                created=1,
            )
        )
    db.session.commit()
    owner.now += 60
    assert checks.check(owner.now) == checks.RATE.burst
    assert checks.check(owner.now) == 0, "the rate is used up"
    assert checks.check(owner.now + 60) == 5
    asked = [call.token for call in telegram.calls(None, "getWebhookInfo") if call.token != TOKEN]
    assert sorted(asked) == sorted(tokens)
    assert checks.check(owner.now + 120) == 0, "nobody is due"


def test_bots_of_a_suspended_account_are_not_asked_about(owner: Owner) -> None:
    db.session.execute(update(Account).values(tariff="cat", paid_until=1))
    db.session.commit()
    before = len(owner.telegram.calls())
    owner.now += checks.CHECK_SECONDS
    assert checks.check(owner.now) == 0
    assert len(owner.telegram.calls()) == before


def test_a_token_that_cannot_be_decrypted_keeps_nobody_waiting(owner: Owner) -> None:
    bot = db.session.get(Bot, owner.bot)
    db.session.expunge(bot)
    db.session.connection().exec_driver_sql("UPDATE bot SET token = 'junk'")
    db.session.commit()
    owner.now += checks.CHECK_SECONDS
    assert checks.check(owner.now) == 0
    assert checks.check(owner.now + 1) == 0


def test_without_a_public_address_only_rights_and_refused_tokens_are_asked_about(
    owner: Owner, change_settings: Callable[..., None]
) -> None:
    owner.campaign()
    owner.take_webhook()
    owner.wait()
    assert owner.faults() == ["webhook", "rights"]
    change_settings(public_url="")
    owner.telegram.push(TOKEN, people.bot_rights(NEWS, admin=True))
    before = len(owner.telegram.calls(TOKEN, "getWebhookInfo"))
    owner.wait()
    assert owner.faults() == []
    assert len(owner.telegram.calls(TOKEN, "getWebhookInfo")) == before


def test_a_chat_that_became_public_is_found_within_a_day(owner):
    owner.campaign()
    public = Chat(NEWS.id, "News", username="news")
    owner.telegram.push(TOKEN, people.bot_rights(public, True, bot=TRACKBOT))

    def username():
        return rows(select(BotChat))[0].username

    owner.wait()
    assert username() == "news"
    asked = len(owner.telegram.calls(TOKEN, "getChat"))
    owner.wait()
    assert len(owner.telegram.calls(TOKEN, "getChat")) == asked == 1
    owner.telegram.push(TOKEN, people.bot_rights(NEWS, True, bot=TRACKBOT))
    owner.telegram.fail(TOKEN, "getChat", telegram_faults.SERVER_ERROR)
    owner.wait(checks.NAME_SECONDS)
    assert username() == "news"  # not known to have changed
    owner.wait(checks.NAME_SECONDS)
    assert username() == ""


def test_a_bot_that_comes_back_without_the_right_to_invite_is_told_of_again(owner):
    owner.campaign()
    lacking = people.bot_rights(NEWS, True, bot=TRACKBOT, rights={"can_invite_users": False})
    owner.telegram.push(TOKEN, lacking)
    owner.wait()
    assert owner.faults() == ["invite"]
    bots.remove(owner.account_id, owner.bot)
    assert rows(select(BotChat)) == []
    bots.add(owner.account_id, TOKEN)
    owner.wait(5.0)
    assert owner.faults() == ["invite"]
