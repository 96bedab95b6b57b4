"""Which channel, site and source a call of AdTarget's API means."""

import pytest

from app.errors import BadParameter, ChannelNotFound
from app.extensions import db
from app.models import CampaignStatus, SourceStatus
from app.services.clicks.owner import scope


@pytest.fixture
def campaign(world):
    return world.campaign(chat_id=-1009, code="abc123")


def site_of(world, **params):
    site = scope.find_site(world.account_id, params)
    db.session.rollback()
    return site.id if site else None


def source_of(world, site=None, **params):
    known = scope.find_site(world.account_id, {"site_id": str(site)}) if site else None
    code = scope.find_source(world.account_id, known, params)
    db.session.rollback()
    return code


@pytest.mark.parametrize("channel", ["-1009", "abc123"])
def test_a_channel_is_its_id_or_the_code_of_its_campaign(world, campaign, channel):
    assert scope.find_campaign(world.account_id, channel) == campaign


@pytest.mark.parametrize("channel", ["-1008", "ABC123", "", "9" * 40, "-"])
def test_another_channel_is_not_found(world, campaign, channel):
    with pytest.raises(ChannelNotFound):
        scope.find_campaign(world.account_id, channel)


def test_a_channel_that_is_no_longer_tracked_or_is_anothers_is_not_found(world, others_world):
    world.campaign(chat_id=-1009, status=int(CampaignStatus.DELETED))
    others_world.campaign(chat_id=-1010)
    for channel in ("-1009", "-1010"):
        with pytest.raises(ChannelNotFound):
            scope.find_campaign(world.account_id, channel)


def test_the_only_site_needs_no_name_and_of_two_the_host_tells(world):
    assert site_of(world) is None
    first = world.site()
    assert site_of(world) == site_of(world, href="https://elsewhere.example/") == first
    second = world.site(domains='["*.other.example"]')
    assert site_of(world, href="https://www.other.example/x?y=1") == second
    assert site_of(world, href="https://elsewhere.example/") is None
    assert site_of(world, href="https://[") is None


def test_a_site_of_another_account_is_not_taken(world, others_world):
    theirs = others_world.site(public_id="q" * 16)
    for params in ({"website_id": "q" * 16}, {"site_id": str(theirs)}):
        with pytest.raises(BadParameter):
            scope.check_site(world.account_id, params)
    assert site_of(world, href="https://shop.example/") is None
    scope.check_site(world.account_id, {})


def test_the_source_is_that_of_the_site_unless_another_is_named(world, campaign):
    mine = world.source(campaign, code="aaaaaaaa")
    world.source(campaign, code="bbbbbbbb")
    site = world.site(default_source_id=mine)
    assert source_of(world, site) == "aaaaaaaa"
    assert source_of(world, site, source="cccccccc") == "cccccccc"


def test_of_a_channel_the_site_names_the_source_or_the_oldest_is_taken(world, campaign):
    world.source(campaign, code="aaaaaaaa")
    newer = world.source(campaign, code="bbbbbbbb")
    site = world.site(default_source_id=newer)
    elsewhere = world.site(default_source_id=world.source(world.campaign()))
    assert source_of(world, site, channel_id="-1009") == "bbbbbbbb"
    assert source_of(world, elsewhere, channel_id="-1009") == "aaaaaaaa"


def test_where_nothing_names_a_source_that_is_told(world, campaign):
    with pytest.raises(BadParameter) as info:
        source_of(world, channel_id="-1009")
    assert info.value.field == "channelId"
    world.source(campaign, code="aaaaaaaa")
    world.source(campaign, status=int(SourceStatus.DELETED))
    assert source_of(world) == "aaaaaaaa"
    world.source(campaign)
    with pytest.raises(BadParameter) as info:
        source_of(world)
    assert info.value.field == "websiteId"
