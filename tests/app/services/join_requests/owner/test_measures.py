"""How fast people are let in, and how many are greeted in time."""

import pytest

from app.errors import NotFound
from app.extensions import db
from app.models import DecidedBy, Message, MessageState, RequestState
from app.services.join_requests.owner.measures import Measures, measure

NOW = 1_800_000_000.0


def message(world, campaign, state):
    row = Message(
        account_id=world.account_id, bot_id=1, chat_id=7, campaign_id=campaign, lead_id=0,
        text="Hi", state=state, due=NOW, created=NOW,
    )  # fmt: skip
    db.session.add(row)
    db.session.flush()
    return row.id


def test_without_requests_there_is_nothing_to_measure(app, world):
    assert measure(world.account_id, NOW) == Measures(0, None, None, None)


def test_the_last_hour_the_wait_and_the_shares_are_told(app, world):
    campaign = world.campaign()
    lead = world.lead(campaign, last_start_at=int(NOW))
    ours = {"decided_by": DecidedBy.RULE, "state": RequestState.JOINED}
    for wait, state in (
        (10, MessageState.SENT),
        (30, MessageState.SENT),
        (50, MessageState.FAILED),
    ):
        world.request(
            campaign, asked=int(NOW) - wait, decided=NOW, lead_id=lead if wait == 10 else None,
            message_id=message(world, campaign, state), **ours,
        )  # fmt: skip
    world.request(campaign, asked=int(NOW) - 9000, decided=NOW - 8000, **ours)
    world.request(campaign, decided=NOW, decided_by=DecidedBy.OTHER_ADMIN, state=5)
    found = measure(world.account_id, NOW, campaign)
    assert (found.approved, found.wait) == (3, 40.0)
    assert found.greeted == pytest.approx(200 / 3)
    assert found.started == pytest.approx(100 / 3)
    with pytest.raises(NotFound):
        measure(world.account_id, NOW, 10**9)
