"""What parallel calls may take together is what one call after the other may take."""

import io
import threading
import time
from collections import Counter

import pytest
from sqlalchemy import func, select

from app.domain.telegram.person import Person
from app.errors import ApiError, NoGateway, PlanLimit
from app.extensions import db
from app.models import (
    Account,
    Blocked,
    Bot,
    Destination,
    EventKey,
    Export,
    ExportKind,
    HiddenItem,
    Lead,
    Media,
    Payment,
    RequestRule,
    Session,
    Site,
    Source,
    Transfer,
    TransferToken,
)
from app.sandbox.vendors.vendor import Manner
from app.schemas.rules import checked_rule
from app.services.accounts import accounts, hidden_items, quotas
from app.services.accounts.accounts import Caller
from app.services.accounts.quotas import Quota
from app.services.billing import tariffs
from app.services.bots import bots
from app.services.campaigns import campaigns, clearing, media, media_list, settlement, transfer
from app.services.clicks import sites, sources
from app.services.conversions import keys
from app.services.exports import prepared
from app.services.join_requests.owner import blocklist, rule_edits, rule_list
from app.services.service_bot import logins, sessions, signup
from app.services.service_bot.logins import Browser
from app.services.trackers import destinations
from plugins.payments.contract import Confirmation

AT_ONCE = 8
MP4 = b"\0\0\0\x10ftypisom\0\0\0\0"
URL = {"urls": {"approve": "https://tracker.example/?click={click}"}}


@pytest.fixture
def at_once(live_app):
    """`at_once(call)`: the outcomes of `call(number)` in parallel, "ok" or the code of an error."""

    def run(call, count=AT_ONCE):
        ready, outcomes = threading.Barrier(count), []

        def one(number):
            with live_app.app_context():
                ready.wait()
                try:
                    call(number)
                    outcomes.append("ok")
                except ApiError as error:
                    db.session.rollback()
                    outcomes.append(error.code)

        db.session.commit()
        threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return Counter(outcomes)

    return run


def count(model):
    return db.session.scalar(select(func.count()).select_from(model))


def few(monkeypatch, quota, number):
    """Let an account have only `number` of `quota`, which is too large to be filled in a test."""

    real = quotas._count
    monkeypatch.setattr(
        quotas, "_count", lambda id_, which: real(id_, which) + (which is quota) * (quota - number)
    )


def test_of_uploads_at_once_as_many_are_stored_as_have_room(at_once, account, monkeypatch):
    monkeypatch.setattr(media, "QUOTA", 100)
    outcomes = at_once(lambda number: media.upload(account.id, film(number, 60)))
    assert outcomes == {"ok": 1, "size": AT_ONCE - 1}
    assert count(Media) == 1


def test_of_uploads_at_once_none_is_more_than_the_number_allows(at_once, account, monkeypatch):
    few(monkeypatch, Quota.MEDIA, 2)
    outcomes = at_once(lambda number: media.upload(account.id, film(number, 60)))
    assert outcomes == {"ok": 2, "limit": AT_ONCE - 2}


def film(number, size):
    return io.BytesIO((MP4 + bytes([number])).ljust(size, b"."))


def test_one_file_uploaded_many_times_at_once_is_one_media(at_once, account):
    codes = []
    outcomes = at_once(lambda _: codes.append(media.upload(account.id, film(1, 60))))
    assert (outcomes, len(set(codes)), count(Media)) == ({"ok": AT_ONCE}, 1, 1)


def test_a_media_is_not_deleted_while_a_campaign_takes_it(at_once, account, world_of):
    world = world_of(account.id)
    code, campaign = media.upload(account.id, film(1, 60)), world.campaign()

    def call(number):
        if number % 2:
            media_list.remove(account.id, code)
        else:
            campaigns.edit(account.id, campaign, media=code)

    outcomes = at_once(call)
    db.session.rollback()
    used = campaigns.find(account.id, campaign)["media"] == code
    assert count(Media) == used
    assert outcomes["ok"] == (AT_ONCE // 2 if used else 1)


def test_of_bots_restored_at_once_as_many_live_as_are_allowed(at_once, account, monkeypatch):
    few(monkeypatch, Quota.BOTS, 2)

    def add(number):
        bots._store(account.id, f"{number + 1}:token", {"id": number + 1, "username": f"b{number}"})

    assert at_once(add) == {"ok": 2, "limit": AT_ONCE - 2}
    assert count(Bot) == 2


def test_of_campaigns_at_once_as_many_are_made_as_are_allowed(
    at_once, account, world_of, monkeypatch
):
    few(monkeypatch, Quota.CAMPAIGNS, 2)
    world = world_of(account.id)
    bot = world.bot()
    chats = [world.chat(bot) for _ in range(AT_ONCE)]
    outcomes = at_once(lambda number: campaigns.add(account.id, bot=bot, chat=chats[number]))
    assert outcomes == {"ok": 2, "limit": AT_ONCE - 2}


@pytest.mark.parametrize("bound", ["one campaign", "the account"])
def test_of_trackers_connected_at_once_as_many_are_as_are_allowed(
    at_once, account, monkeypatch, bound
):
    if bound == "the account":
        few(monkeypatch, Quota.DESTINATIONS, 2)
    else:
        monkeypatch.setattr(destinations, "MAX_CONNECTED", 2)

    def add(_):
        destinations.add(account.id, tracker="url_template", settings=URL)

    assert at_once(add) == {"ok": 2, "limit": AT_ONCE - 2}
    assert count(Destination) == 2


@pytest.fixture
def giver(account):
    """`account` as a caller with its key."""
    return Caller(account.id, "en", account.tariff, account.paid_until)


def test_of_bots_given_away_as_many_arrive_as_have_room_though_all_clocks_settle_at_once(
    at_once, giver, make_account, world, monkeypatch
):
    now = time.time()
    recipient = make_account(tariff="tiger", paid_until=int(now) + 30 * 86_400)
    token = transfer.token_of(recipient.id)
    for _ in range(AT_ONCE):
        transfer.give_bot(giver, token, world.bot(), with_leads=True)
    few(monkeypatch, Quota.BOTS, 3)
    assert at_once(lambda _: settlement.settle(now + 30 * 86_400 - 60)) == {"ok": AT_ONCE}
    arrived = select(func.count()).where(Bot.account_id == recipient.id)
    assert db.session.scalar(arrived) == 3


def test_of_sources_made_at_once_as_many_are_as_are_allowed(at_once, account, world, monkeypatch):
    campaign = world.campaign()
    few(monkeypatch, Quota.SOURCES, 3)
    done = at_once(lambda _: sources.add(account.id, campaign=campaign, title="x"))
    assert done == {"ok": 3, "limit": AT_ONCE - 3}
    assert count(Source) == 3


def test_of_sites_made_at_once_as_many_are_as_are_allowed(at_once, account, monkeypatch):
    few(monkeypatch, Quota.SITES, 3)
    done = at_once(lambda number: sites.add(account.id, domains=[f"s{number}.example"]))
    assert done == {"ok": 3, "limit": AT_ONCE - 3}
    assert count(Site) == 3


def test_of_event_keys_made_at_once_as_many_are_as_are_allowed(at_once, account, monkeypatch):
    few(monkeypatch, Quota.EVENT_KEYS, 3)
    done = at_once(lambda number: keys.add(account.id, title=f"key {number}"))
    assert done == {"ok": 3, "limit": AT_ONCE - 3}
    assert count(EventKey) == 3


def test_of_files_asked_for_at_once_as_many_are_written_as_are_allowed(
    at_once, account, monkeypatch
):
    few(monkeypatch, Quota.EXPORTS, 2)
    asked = {"query": "", "zone": "UTC", "estimate": None, "now": 1_000.0}
    done = at_once(lambda _: prepared.add(account.id, ExportKind.LEADS, {}, **asked))
    assert done == {"ok": 2, "limit": AT_ONCE - 2}
    assert count(Export) == 2


def test_of_people_blocked_at_once_as_many_are_as_are_allowed(at_once, account, monkeypatch):
    monkeypatch.setattr(blocklist, "MOST", 3)
    done = at_once(lambda number: blocklist.add(account.id, f"spammer{number}"))
    assert done == {"ok": 3, "limit": AT_ONCE - 3}
    assert count(Blocked) == 3


def test_of_rules_put_at_once_as_many_are_as_are_allowed(at_once, account, world, monkeypatch):
    monkeypatch.setattr(rule_edits, "MOST_RULES", 3)
    campaign, rule = world.campaign(), checked_rule({"action": "hold"})
    done = at_once(lambda _: rule_edits.put(account.id, campaign, rule))
    assert done == {"ok": 3, "limit": AT_ONCE - 3}
    assert count(RequestRule) == 3


def test_rules_that_are_replaced_many_times_at_once_are_those_of_one_call(at_once, account, world):
    campaign, rule = world.campaign(), checked_rule({"action": "hold"})
    done = at_once(lambda _: rule_list.replace_all(account.id, campaign, [rule, rule]))
    assert (done, count(RequestRule)) == ({"ok": AT_ONCE}, 2)


def test_one_thing_that_is_hidden_many_times_at_once_is_hidden_once(at_once, account):
    done = at_once(lambda _: hidden_items.hide(account.id, "bot-1", 1_000.0))
    assert (done, count(HiddenItem)) == ({"ok": AT_ONCE}, 1)


def test_of_sources_given_away_at_once_as_many_arrive_as_have_room(
    at_once, giver, make_account, world, monkeypatch
):
    now = time.time()
    recipient = make_account(tariff="tiger", paid_until=int(now) + 30 * 86_400)
    token = transfer.token_of(recipient.id)
    for _ in range(AT_ONCE):
        bot = world.bot()
        world.source(world.campaign(bot_id=bot))
        transfer.give_bot(giver, token, bot, with_leads=True)
    few(monkeypatch, Quota.SOURCES, 3)
    assert at_once(lambda _: settlement.settle(now + 30 * 86_400 - 60)) == {"ok": AT_ONCE}
    arrived = select(func.count()).where(Source.account_id == recipient.id)
    assert db.session.scalar(arrived) == 3


def test_a_history_that_all_clocks_delete_at_once_is_deleted_once(
    at_once, giver, make_account, world, monkeypatch
):
    monkeypatch.setattr(clearing, "LEADS", 1)
    now = time.time()
    recipient = make_account(tariff="tiger", paid_until=int(now) + 30 * 86_400)
    bot = world.bot()
    campaign = world.campaign(bot_id=bot)
    for number in range(AT_ONCE):
        world.lead(campaign, bot_id=bot, subscriber=100 + number)
    transfer.give_bot(giver, transfer.token_of(recipient.id), bot, with_leads=False)
    settle = lambda _: settlement.settle(now + 2 * 86_400, lambda: 0.0)  # noqa: E731
    assert at_once(settle) == {"ok": AT_ONCE}
    assert count(Lead) == 0
    assert db.session.scalars(select(Bot.account_id)).all() == [recipient.id]


def test_of_sessions_opened_by_a_key_at_once_as_many_stay_as_are_allowed(
    at_once, account, monkeypatch
):
    monkeypatch.setattr(sessions, "MOST_BY_KEY", 3)
    at_once(lambda number: sessions.open_by_key(account.key, address=str(number), agent=""))
    assert count(Session) == 3


def test_a_bot_given_to_many_at_once_waits_for_one(at_once, giver, make_account, world):
    until = int(time.time()) + 30 * 86_400
    takers = [make_account(tariff="tiger", paid_until=until) for _ in range(AT_ONCE)]
    tokens = [transfer.token_of(taker.id) for taker in takers]
    bot = world.bot()

    def give(number):
        transfer.give_bot(giver, tokens[number], bot, with_leads=True)

    assert at_once(give) == {"ok": 1, "param": AT_ONCE - 1}
    assert count(Transfer) == 1


def test_a_person_who_starts_many_times_at_once_has_one_account(at_once, live_app):
    person = Person(4_000_000_001, "ann_at_once", "Ann")

    def start(_):
        signup.account_for(person, 1_000)
        db.session.commit()

    assert at_once(start) == {"ok": AT_ONCE}
    assert db.session.scalar(select(func.count()).where(Account.tg_id == person.id)) == 1


def test_all_who_ask_for_the_first_token_at_once_get_the_same(at_once, account):
    tokens = []
    outcomes = at_once(lambda _: tokens.append(transfer.token_of(account.id)))
    assert (outcomes, len(set(tokens)), count(TransferToken)) == ({"ok": AT_ONCE}, 1, 1)


def test_a_first_token_may_be_renewed_many_times_at_once(at_once, account):
    assert at_once(lambda _: transfer.renew_token(account.id)) == {"ok": AT_ONCE}


def test_of_those_who_want_one_login_at_once_one_gets_it(at_once, account):
    outcomes = at_once(lambda number: accounts.create("wanted", f"Number {number}"))
    assert outcomes == {"ok": 1, "param": AT_ONCE - 1}
    assert db.session.scalar(select(func.count()).where(Account.login == "wanted")) == 1


@pytest.mark.parametrize("charge", ["", "one charge"])
def test_a_payment_that_is_confirmed_many_times_at_once_is_paid_once(at_once, make_account, charge):
    kitten = make_account()
    terms = {"tariff": "cat", "gateway": "g", "price": 24, "price_currency": "USD", "created": 1}
    db.session.add(Payment(account_id=kitten.id, ref="invoice", **terms))

    def confirm(_):
        tariffs.settle(Confirmation("invoice", True, 24, "USD", charge), 1_000_000)
        db.session.commit()

    assert at_once(confirm) == {"ok": AT_ONCE}
    assert count(Payment) == 1
    assert db.session.get(Account, kitten.id).paid_until == 1_000_000 + 30 * 86_400


def test_a_plan_that_is_bought_many_times_at_once_has_one_invoice(at_once, make_account, gateway):
    kitten, addresses = make_account(), []
    assert at_once(lambda _: addresses.append(tariffs.buy(kitten.id, "cat"))) == {"ok": AT_ONCE}
    assert (count(Payment), len(set(addresses)), len(gateway.invoices)) == (1, 1, 1)
    assert tariffs.buy(kitten.id, "cat") == addresses[0]
    tariffs.buy(kitten.id, "tiger")
    assert count(Payment) == 2


def test_an_invoice_that_the_gateway_did_not_answer_for_is_asked_for_again(
    live_app, make_account, gateway
):
    kitten = make_account()
    gateway.order(Manner.DROP)
    with pytest.raises(NoGateway):
        tariffs.buy(kitten.id, "cat")
    assert tariffs.buy(kitten.id, "cat").startswith(gateway.url)
    assert count(Payment) == 1


def test_a_free_plan_that_is_chosen_many_times_at_once_is_in_force_once(at_once, make_account):
    kitten = make_account()
    assert at_once(lambda _: tariffs.buy(kitten.id, "kitten")) == {"ok": AT_ONCE}
    assert (count(Payment), db.session.get(Account, kitten.id).tariff) == (0, "kitten")


def test_a_login_that_is_redeemed_many_times_at_once_opens_one_session(at_once, account):
    nonce, browser = "n" * 20, Browser("192.0.2.1", "a browser", "c" * 32)
    logins.redeem(nonce, browser, 1_000.0)
    login = logins.link_opened(nonce, account.id, 1_001.0)
    assert login is not None
    assert logins.agree(login.id, account.id, 1_002.0)
    db.session.commit()
    tokens = []
    at_once(lambda _: tokens.append(logins.redeem(nonce, browser, 1_003.0).token))
    assert sum(token is not None for token in tokens) == 1
    assert count(Session) == 1


@pytest.mark.parametrize("quota", Quota)
def test_an_account_is_told_how_many_it_may_have(account, monkeypatch, quota):
    few(monkeypatch, quota, 2)
    quotas.check(account.id, quota, 2)
    with pytest.raises(PlanLimit, match=f"at most {quota:d} "):
        quotas.check(account.id, quota, 3)
