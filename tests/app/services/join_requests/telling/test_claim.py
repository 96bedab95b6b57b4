"""What is claimed: in order, within the hour's cap, outside quiet hours, one process at a time."""

import pytest
from sqlalchemy import inspect, text, update

from app.domain.join_requests.rules import Verdict, minute_and_weekday
from app.extensions import db
from app.models import Bot, Campaign, DecidedBy, DeskMode, JoinRequest, RequestState
from app.services.join_requests.knowledge import zone
from app.services.join_requests.owner import decisions
from app.services.join_requests.telling import claim as claims
from app.services.join_requests.telling.claim import AHEAD, HOUR, MOST_OF_BOT, allowance

LEASE_SECONDS = 30.0


def claim(asking, most=100):
    with db.engine.begin() as connection:
        return claims.claim(connection, now=asking.now, lease_seconds=LEASE_SECONDS, most=most)


def test_a_decision_is_claimed_once_until_its_lease_runs_out(make_asking):
    asking = make_asking(DeskMode.ALL)
    asking.ask(7)
    (claimed,) = claim(asking)
    assert (claimed.subscriber, claimed.tries, claimed.method) == (7, 1, "approveChatJoinRequest")
    assert asking.token not in repr(claimed)
    assert claim(asking) == []
    assert asking.state(7) is RequestState.SENDING
    asking.now += LEASE_SECONDS + 1
    (again,) = claim(asking)
    assert (again.tries, again.lease == claimed.lease) == (2, False)


def test_no_more_are_claimed_than_the_pace_of_the_bot_allows(make_asking):
    asking = make_asking(DeskMode.ALL)
    for person in range(20):
        asking.ask(person + 1)
    assert [each.subscriber for each in claim(asking)] == list(range(1, MOST_OF_BOT + 1))
    assert len(claim(asking)) == 0
    asking.now += 1
    assert len(claim(asking, most=2)) == 2
    asking.set(Bot, next_send=asking.now + 0.2)  # as messages leave it
    assert len(claim(asking)) == 1


def test_desks_of_one_bot_take_turns(make_asking):
    asking = make_asking(DeskMode.ALL)
    for person in range(1, 202):
        asking.ask(person)
    first = db.session.get_one(Campaign, asking.stage.campaign)
    columns = {each.key: getattr(first, each.key) for each in inspect(Campaign).column_attrs}
    columns |= {"id": None, "code": "second", "chat_id": first.chat_id - 1}
    db.session.add(second := Campaign(**columns))
    db.session.flush()
    last = update(JoinRequest).where(JoinRequest.subscriber == 201)
    db.session.execute(last.values(campaign_id=second.id))
    db.session.commit()
    claimed = []
    while 201 not in claimed:
        asking.now += 1
        claimed += [each.subscriber for each in claim(asking)]
    assert len(claimed) < 200


@pytest.mark.parametrize(("ahead", "allowed"), [(0.0, 6), (0.2, 1), (AHEAD, 0), (5.0, 0)], ids=str)
def test_a_bot_that_is_ahead_of_its_pace_is_allowed_less(ahead, allowed):
    assert allowance(1000.0 + ahead, 1000.0) == allowed


def test_the_cap_of_an_hour_holds_rules_back_and_no_person(make_asking):
    asking = make_asking(DeskMode.ALL, desk_cap=3)
    for person in range(1, 11):
        asking.ask(person)
    asking.decide(5)
    assert asking.approved() == [1, 2, 3]
    db.session.execute(
        text(f"UPDATE join_request SET decided_by = {DecidedBy.PERSON:d} WHERE subscriber = 9")  # noqa: S608
    )
    db.session.commit()
    asking.decide()
    assert asking.approved() == [1, 2, 3, 9]
    asking.now += HOUR
    asking.decide(5)
    assert asking.approved() == [1, 2, 3, 9, 4, 5, 6]


def test_whom_a_person_let_in_takes_no_place_of_the_rules_hour(make_asking):
    asking = make_asking(DeskMode.RULES, desk_cap=1)
    asking.rule(Verdict.APPROVE, delay_from=1, delay_to=1)
    asking.ask(1)
    db.session.execute(text(f"UPDATE join_request SET decided_by = {DecidedBy.PERSON:d}"))  # noqa: S608
    db.session.commit()
    for person in (2, 3):
        asking.now += 2
        asking.decide()
        asking.ask(person)
    asking.now += 2
    asking.decide()
    assert asking.approved() == [1, 2]


def test_rules_rest_in_quiet_hours(make_asking):
    asking = make_asking(DeskMode.RULES)
    asking.rule(Verdict.APPROVE)
    asking.ask(7)
    minute, _ = minute_and_weekday(asking.now, zone("UTC"))
    asking.set(desk_quiet_from=minute, desk_quiet_to=(minute + 5) % 1440)
    asking.now += 1
    assert claim(asking) == []
    asking.now += 300
    assert len(claim(asking)) == 1


def test_a_request_in_quiet_hours_is_scheduled_for_their_end(make_asking):
    asking = make_asking(DeskMode.ALL)
    minute, _ = minute_and_weekday(asking.now, zone("UTC"))
    asking.set(desk_quiet_from=minute, desk_quiet_to=(minute + 60) % 1440)
    asking.ask(7)
    assert asking.row(7).due >= asking.now + 3500


def test_a_desk_that_was_switched_off_tells_only_what_a_person_decides(make_asking):
    asking = make_asking(DeskMode.ALL)
    asking.ask(7)
    asking.ask(8)
    asking.set(desk=DeskMode.OFF)
    assert claim(asking) == []
    decisions.decide(asking.stage.account, Verdict.APPROVE, asking.now, ids=[asking.row(8).id])
    assert [each.subscriber for each in claim(asking)] == [8]
    asking.set(desk=DeskMode.ALL)
    asking.now += 1
    assert [each.subscriber for each in claim(asking)] == [7]
