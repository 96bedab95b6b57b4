from app.models import CampaignStatus, DestinationStatus
from app.services.trackers import glance


def test_what_is_deleted_has_no_title(app, world, account, others_world):
    others_world.destination()
    gone = world.campaign(status=CampaignStatus.DELETED)
    campaign = world.campaign(chat_title="News")
    world.destination(status=DestinationStatus.DELETED)
    of_gone = world.destination(campaign_id=gone, title="A")
    of_one = world.destination(campaign_id=campaign, title="B", tracker="webhook")
    rows = glance.titles(account.id)
    assert sorted(tuple(row) for row in rows if row.is_tracker) == [
        (True, of_gone, "A", "url_template", ""), (True, of_one, "B", "webhook", "News"),
    ]  # fmt: skip
    assert [tuple(row)[:3] for row in rows if not row.is_tracker] == [(False, campaign, "News")]


def test_those_in_trouble_are_off_or_rest(app, world, account, others_world):
    others_world.destination(status=DestinationStatus.OFF)
    world.destination(blocked_until=50)
    off = world.destination(status=DestinationStatus.OFF)
    resting = world.destination(blocked_until=101)
    assert [row.id for row in glance.in_trouble(account.id, 100)] == [resting, off]
