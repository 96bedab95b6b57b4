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
        both = names.with_trackers(account.id)
        assert both.campaigns == {campaign: "News"}
        assert list(both.trackers) == [plain, of_one, account_wide, titled]
        assert both.trackers == {
            titled: "Keitaro",
            account_wide: "addresses of the account",
            of_one: "addresses of News",
            plain: "webhook · News",
        }


def test_sources_have_names(app, world, account, others_world):
    others_world.source(others_world.campaign())
    first, second = [world.source(world.campaign(), title=title) for title in ("One", "Two")]
    assert list(names.sources(account.id).items()) == [(second, "Two"), (first, "One")]
