from __future__ import annotations

from app.dashboard import names
from app.models import Role


def test_campaigns_and_trackers_have_names_and_the_neighbours_none(
    app, world, account, others_world
):
    campaign = world.campaign(chat_title="News")
    titled = world.destination(title="Keitaro")
    account_wide = world.destination(role=Role.TEMPLATE)
    of_one = world.destination(role=Role.TEMPLATE, campaign_id=campaign)
    plain = world.destination(tracker="webhook", campaign_id=campaign)
    others_world.destination(title="Theirs")
    with app.test_request_context():
        assert names.campaigns(account.id) == {campaign: "News"}
        assert names.trackers(account.id) == {
            titled: "Keitaro",
            account_wide: "addresses of the account",
            of_one: "addresses of News",
            plain: "webhook · News",
        }
