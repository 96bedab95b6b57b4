"""Rows are found for the account that owns them, and an id that a filter names must be of one."""

import pytest

from app.errors import NotFound
from app.models import Campaign, CampaignStatus
from app.services.lists import ownership
from app.services.lists.ownership import check_owned


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
