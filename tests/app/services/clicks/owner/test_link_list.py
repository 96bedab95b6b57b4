"""All links of a source, and their QR codes."""

import pytest

from app.errors import NotFound
from app.extensions import db
from app.models import Bot, BotStatus, Campaign, Invite, InviteKind, InviteState
from app.services.clicks.owner import link_list


@pytest.fixture(autouse=True)
def address(change_settings):
    change_settings(public_url="https://t.example")


@pytest.fixture
def source(app, world):
    bot = world.bot(username="track_bot")
    return world.source(world.campaign(bot_id=bot, code="abc123"), code="aaaaaaaa")


def links(world, source, **options):
    return {row.kind: row for row in link_list.listed(world.account_id, source, **options)}


def test_the_link_of_the_ad_stands_before_those_to_telegram(world, source):
    rows = links(world, source)
    assert list(rows) == ["source", "start"]
    assert rows["source"].link == "https://t.example/c/aaaaaaaa"
    assert rows["start"].link == "https://t.me/track_bot?start=abc123"
    assert {row.qr for row in rows.values()} == {""}


def test_the_link_that_all_share_is_there_once_it_is_made(world, source):
    campaign = db.session.query(Campaign).one()
    db.session.add(
        Invite(
            bot_id=campaign.bot_id, chat_id=campaign.chat_id, source_id=source, name="Reels",
            kind=int(InviteKind.NAMED), state=int(InviteState.HANDED_OUT), made=1,
            link="https://t.me/+Shared", link_key="k" * 32,
        )
    )  # fmt: skip
    db.session.commit()
    assert links(world, source)["named"].link == "https://t.me/+Shared"


def test_without_its_bot_a_source_leads_to_no_telegram(world, source):
    db.session.query(Bot).one().status = BotStatus.DELETED
    db.session.commit()
    assert list(links(world, source)) == ["source"]


def test_each_code_is_an_svg_that_stands_for_itself(world, source):
    rows = links(world, source, qr=True)
    for row in rows.values():
        assert row.qr.startswith('<svg xmlns="http://www.w3.org/2000/svg"')
        assert row.qr.endswith("</svg>")
    assert rows["source"].qr != rows["start"].qr
    assert link_list.drawn('"><script>') == link_list.drawn('"><script>')
    assert "<script>" not in link_list.drawn('"><script>')


def test_another_accounts_source_is_not_found(others_world, source):
    with pytest.raises(NotFound):
        link_list.listed(others_world.account_id, source)
