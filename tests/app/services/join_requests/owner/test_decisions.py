"""People decide one request or many, try it first, and take it back while it can be."""

import threading

import pytest
from sqlalchemy import text, update

from app.domain.join_requests.rules import Verdict
from app.errors import BadParameter, NotFound
from app.extensions import db
from app.models import DecidedBy, DeskMode, JoinRequest, RequestState
from app.services.join_requests.owner import decisions

NOW = 1_800_000_000.5


def states(*numbers):
    db.session.expire_all()
    return [db.session.get_one(JoinRequest, number).state for number in numbers]


def test_requests_are_decided_by_their_ids_and_only_open_ones(app, world, others_world):
    campaign = world.campaign()
    one, two = world.request(campaign), world.request(campaign, state=RequestState.SCHEDULED)
    done = world.request(campaign, state=RequestState.DECLINED)
    theirs = others_world.request(others_world.campaign())
    ids = [one, two, done, theirs]
    made = decisions.decide(world.account_id, Verdict.APPROVE, NOW, ids=ids)
    assert made.count == 2
    assert states(one, two, done, theirs) == [1, 1, 4, 0]
    row = db.session.get_one(JoinRequest, one)
    assert (row.action, row.decided_by, row.due) == (Verdict.APPROVE, DecidedBy.PERSON, NOW)
    assert row.batch == made.batch != ""


def test_a_filter_decides_all_that_it_finds_and_a_trial_none(app, world):
    campaign = world.campaign()
    source = world.source(campaign)
    numbers = [
        world.request(campaign, language=language, source_id=source_id)
        for language, source_id in (("ru", source), ("ru", None), ("en", source))
    ]
    tried = decisions.decide(
        world.account_id, Verdict.DECLINE, NOW, dry=True, campaign=campaign, language="ru"
    )
    assert (tried.count, tried.batch) == (2, "")
    assert sorted((each.source, each.count) for each in tried.sources) == [(0, 1), (source, 1)]
    assert [(each.language, each.count) for each in tried.languages] == [("ru", 2)]
    assert states(*numbers) == [0, 0, 0]
    made = decisions.decide(
        world.account_id, Verdict.DECLINE, NOW, campaign=campaign, language="ru"
    )
    assert made.count == 2
    assert states(*numbers) == [1, 1, 0]


@pytest.mark.parametrize("verdict", [Verdict.APPROVE, Verdict.HOLD])
def test_many_are_decided_and_undone_a_part_at_a_time_and_each_once(
    app, world, others_world, monkeypatch, verdict
):
    monkeypatch.setattr(decisions, "PART", 2)
    campaign = world.campaign()
    numbers = [
        world.request(campaign, state=state)
        for state in (RequestState.WAITING, RequestState.SCHEDULED) * 3
    ]
    theirs = others_world.request(others_world.campaign())
    made = decisions.decide(world.account_id, verdict, NOW, campaign=campaign)
    assert made.count == 6
    expected = 1 if verdict is Verdict.APPROVE else 0
    assert states(*numbers, theirs) == [expected] * 6 + [0]
    assert decisions.undo(world.account_id, made.batch) == 6 * expected
    assert states(*numbers) == [0] * 6


@pytest.mark.parametrize("verdict", [Verdict.APPROVE, Verdict.HOLD])
def test_a_decision_ends_although_another_call_decides_the_same_ones_anew(
    app, world, monkeypatch, verdict
):
    monkeypatch.setattr(decisions, "PART", 2)
    campaign, change, rounds = world.campaign(), decisions._change, []
    for _ in range(6):
        world.request(campaign)

    def fought_over(ids, values):
        count = change(ids, values)
        rounds.append(count)
        if len(rounds) < 20:
            db.session.execute(
                update(JoinRequest).values(batch="another", state=RequestState.WAITING)
            )
        return count

    monkeypatch.setattr(decisions, "_change", fought_over)
    decisions.decide(world.account_id, verdict, NOW, campaign=campaign)
    assert rounds == [2, 2, 2]


def test_two_calls_about_the_same_requests_do_not_wait_for_each_other(live_app, world):
    campaign = world.campaign()
    first, second = world.request(campaign), world.request(campaign)
    # On PostgreSQL the first one stands behind the second one now.
    for state in (RequestState.SCHEDULED, RequestState.WAITING):
        db.session.execute(update(JoinRequest).where(JoinRequest.id == first).values(state=state))
        db.session.commit()
    made = []

    def decide():
        with live_app.app_context():
            made.append(decisions.decide(world.account_id, Verdict.HOLD, NOW, campaign=campaign))

    touch = text("UPDATE join_request SET language = 'yy' WHERE id = :id")
    thread = threading.Thread(target=decide)
    with db.engine.begin() as other:
        other.execute(touch, {"id": first})
        thread.start()
        thread.join(0.5)  # by now it waits for us
        other.execute(touch, {"id": second})
    thread.join()
    assert [each.count for each in made] == [2]


def test_an_undo_leaves_another_batch_and_what_rules_scheduled_alone(app, world):
    campaign = world.campaign()
    by_rule, first, second = (world.request(campaign) for _ in range(3))
    one = decisions.decide(world.account_id, Verdict.APPROVE, NOW, ids=[first])
    decisions.decide(world.account_id, Verdict.APPROVE, NOW, ids=[second])
    db.session.get_one(JoinRequest, by_rule).state = RequestState.SCHEDULED
    db.session.commit()
    assert decisions.undo(world.account_id, one.batch) == 1
    assert states(by_rule, first, second) == [
        RequestState.SCHEDULED,
        RequestState.WAITING,
        RequestState.SCHEDULED,
    ]


def test_one_press_of_a_button_approves_so_many(app, world, monkeypatch):
    monkeypatch.setattr(decisions, "MOST_PRESSED", 2)
    campaign = world.campaign()
    numbers = [world.request(campaign) for _ in range(3)]
    counts = [decisions.approve_waiting(world.account_id, campaign, NOW) for _ in range(3)]
    assert (counts, states(*numbers)) == ([2, 1, 0], [1, 1, 1])


def test_more_than_a_page_can_mark_are_refused(app, world):
    with pytest.raises(BadParameter):
        decisions.decide(world.account_id, Verdict.APPROVE, NOW, ids=range(40_000))


def test_nobody_is_decided_who_is_not_named(app, world):
    with pytest.raises(BadParameter):
        decisions.decide(world.account_id, Verdict.APPROVE, NOW)
    with pytest.raises(NotFound):
        decisions.decide(world.account_id, Verdict.APPROVE, NOW, campaign=10**9)


def test_holding_takes_a_request_out_of_the_schedule(app, world):
    number = world.request(world.campaign(), state=RequestState.SCHEDULED, due=NOW, asks=True)
    decisions.decide(world.account_id, Verdict.HOLD, NOW, ids=[number])
    row = db.session.get_one(JoinRequest, number)
    assert (row.state, row.due, row.decided_by, row.asks) == (0, None, DecidedBy.NOBODY, False)


def test_what_telegram_was_not_told_of_is_undone(make_asking):
    asking = make_asking()
    for person in range(1, 21):
        asking.ask(person)
    made = decisions.decide(
        asking.stage.account, Verdict.APPROVE, asking.now, campaign=asking.stage.campaign
    )
    assert made.count == 20
    told = asking.decide()
    assert 0 < told < 20
    assert decisions.undo(asking.stage.account, made.batch) == 20 - told
    assert asking.decide(5) == 0
    waiting = [row for row in asking.rows() if row.state == RequestState.WAITING]
    assert (len(waiting), len(asking.approved())) == (20 - told, told)
    assert {row.decided_by for row in waiting} == {DecidedBy.NOBODY}
    assert decisions.undo(asking.stage.account, made.batch) == 0
    assert decisions.undo(asking.stage.account, "") == 0
    assert all(words.startswith("approved by a person, ") for _, _, words in asking.decisions())


def test_a_batch_of_another_account_is_not_undone(make_asking):
    asking = make_asking(DeskMode.OFF)
    asking.ask(7)
    made = decisions.decide(
        asking.stage.account, Verdict.APPROVE, asking.now, campaign=asking.stage.campaign
    )
    assert decisions.undo(asking.stage.account + 1, made.batch) == 0
    assert asking.state(7) is RequestState.SCHEDULED


def test_of_a_batch_those_are_counted_of_whom_telegram_is_to_hear(app, world, others_world):
    campaign, waiting = world.campaign(), RequestState.SCHEDULED
    world.request(campaign, batch="b1", state=waiting)
    world.request(campaign, batch="b1", state=RequestState.SENDING)
    world.request(campaign, batch="b1", state=RequestState.JOINED)
    world.request(campaign, batch="", state=waiting)
    others_world.request(others_world.campaign(), batch="b1", state=waiting)
    counted = [decisions.on_their_way(world.account_id, batch) for batch in ("b1", "", "b2")]
    assert counted == [2, 0, 0]


@pytest.mark.parametrize("what", ["undo", "press"])
def test_a_decision_of_this_moment_is_neither_undone_nor_turned_round(live_app, world, what):
    """By an undo of the one before, or by the button that lets in who waits."""
    campaign = world.campaign()
    number = world.request(campaign)
    batch = ""
    if what == "undo":
        batch = decisions.decide(world.account_id, Verdict.APPROVE, NOW, ids=[number]).batch
    counts = []

    def late():
        with live_app.app_context():
            if what == "undo":
                counts.append(decisions.undo(world.account_id, batch))
            else:
                counts.append(decisions.approve_waiting(world.account_id, campaign, NOW))
                db.session.commit()

    declined = {"state": RequestState.SCHEDULED, "action": Verdict.DECLINE, "batch": "newer"}
    thread = threading.Thread(target=late)
    with db.engine.begin() as other:
        other.execute(update(JoinRequest).where(JoinRequest.id == number).values(declined))
        thread.start()
        thread.join(0.5)  # by now it has found the request, and waits for us
    thread.join()
    assert states(number) == [RequestState.SCHEDULED]
    row = db.session.get_one(JoinRequest, number)
    assert (row.action, row.batch) == (Verdict.DECLINE, "newer")
    assert counts == [0]
