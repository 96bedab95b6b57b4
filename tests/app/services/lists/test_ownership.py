"""Rows are found for the account that owns them, and an id that a filter names must be of one."""

import threading

import pytest

from app.errors import NotFound
from app.extensions import db
from app.models import Campaign, CampaignStatus
from app.services.accounts import quotas
from app.services.bots import bots
from app.services.campaigns import campaigns
from app.services.clicks import sites, sources
from app.services.conversions import keys
from app.services.join_requests.owner import rule_list
from app.services.lists import ownership
from app.services.lists.ownership import check_owned
from app.services.trackers import destinations


@pytest.fixture
def owned(app, world):
    """The ids of one row of each kind, by the names that filters use."""
    bot = world.bot()
    campaign = world.campaign(status=CampaignStatus.DELETED)
    return {
        "bot": bot,
        "campaign": campaign,
        "dest": world.destination(),
        "lead": world.lead(campaign),
    }


def test_an_account_may_name_what_it_owns_deleted_or_not(account, owned):
    assert check_owned(account.id, **owned) is None
    assert check_owned(account.id, bot=None, campaign=owned["campaign"]) is None


@pytest.mark.parametrize("name", ["bot", "campaign", "dest", "lead"])
def test_what_is_another_accounts_is_as_missing_as_what_is_not_there(
    account, make_account, owned, name
):
    stranger = make_account()
    with pytest.raises(NotFound):
        check_owned(stranger.id, **{name: owned[name]})
    with pytest.raises(NotFound):
        check_owned(account.id, **{name: 10**9})


@pytest.mark.parametrize("locked", [False, True])
def test_a_row_is_found_for_its_account_alone(account, make_account, owned, locked):
    campaign = owned["campaign"]
    assert ownership.find(Campaign, account.id, campaign, locked=locked).id == campaign
    for whose, more in ((make_account().id, ()), (account.id, (Campaign.living,))):
        with pytest.raises(NotFound):
            ownership.find(Campaign, whose, campaign, *more, locked=locked)


@pytest.fixture
def deleted_meanwhile(live_app, monkeypatch):
    """`deleted_meanwhile(place, name, delete, add)`: add while another thread deletes.

    The deletion starts where `add` calls `place.name`, after its check; the two are told apart by
    what is returned: whether the deletion was over when `add` went on.
    """

    def run(place, name, delete, add):
        real, overtaken = getattr(place, name), []

        def deletion():
            with live_app.app_context():
                delete()

        def slow(*args, **kwargs):
            if not overtaken:
                thread = threading.Thread(target=deletion)
                overtaken.append(thread)
                thread.start()
                thread.join(0.5)  # it waits for us, if `add` holds what it has checked
                overtaken.append(not thread.is_alive())
            return real(*args, **kwargs)

        monkeypatch.setattr(place, name, slow)
        db.session.commit()
        add()
        db.session.commit()
        thread, was_overtaken = overtaken
        thread.join()
        return was_overtaken

    return run


URL = {"urls": {"approve": "https://tracker.example/?click={click}"}}
ADDITIONS = {
    "a source": lambda id_, campaign: sources.add(id_, campaign=campaign, title="x"),
    "a key for events": lambda id_, campaign: keys.add(id_, campaign=campaign, title="x"),
    "a destination": lambda id_, campaign: destinations.add(
        id_, campaign=campaign, tracker="url_template", settings=URL
    ),
}


@pytest.mark.parametrize("what", ADDITIONS)
def test_nothing_is_added_to_a_campaign_that_is_deleted_meanwhile(
    account, world, deleted_meanwhile, what
):
    campaign = world.campaign()
    assert not deleted_meanwhile(
        quotas,
        "check",
        lambda: campaigns.remove(account.id, campaign),
        lambda: ADDITIONS[what](account.id, campaign),
    )
    with pytest.raises(NotFound):
        ADDITIONS[what](account.id, campaign)


def test_no_rule_is_put_for_a_campaign_that_is_deleted_meanwhile(account, world, deleted_meanwhile):
    campaign = world.campaign()
    assert not deleted_meanwhile(
        rule_list,
        "_rows",
        lambda: campaigns.remove(account.id, campaign),
        lambda: rule_list.replace_all(account.id, campaign, []),
    )


def test_no_site_is_added_with_a_source_that_is_deleted_meanwhile(
    account, world, deleted_meanwhile
):
    source = world.source(world.campaign())
    assert not deleted_meanwhile(
        sites,
        "_insert",
        lambda: sources.remove(account.id, source),
        lambda: sites.add(account.id, domains=["shop.example"], source=source),
    )


def test_no_campaign_is_added_to_a_bot_that_is_deleted_meanwhile(
    account, world, deleted_meanwhile, monkeypatch
):
    monkeypatch.setattr(bots, "drop_webhook", lambda token, bot_id: None)
    bot = world.bot()
    chat = world.chat(bot)
    assert not deleted_meanwhile(
        quotas,
        "check",
        lambda: bots.remove(account.id, bot),
        lambda: campaigns.add(account.id, bot=bot, chat=chat),
    )
