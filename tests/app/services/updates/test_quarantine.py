"""Quarantined updates are counted, shown and processed again."""

import json

import pytest

from app.errors import NotFound
from app.extensions import db
from app.models import Update, UpdateState
from app.services.updates import quarantine


@pytest.fixture
def quarantined(live_app):
    rows = [
        Update(bot_id=1, update_id=number or None, body=b'{"n": 1}', received=100.0 + number,
               state=UpdateState.QUARANTINED, reason="Traceback\nKeyError: 'x'")
        for number in (0, 1, 2)
    ]  # fmt: skip
    rows.append(Update(bot_id=1, update_id=9, body=b"{}", received=200, state=UpdateState.DONE))
    db.session.add_all(rows)
    db.session.commit()
    numbers = [row.id for row in rows]
    db.session.commit()
    return numbers


def states(app):
    db.session.rollback()
    return [row.state for row in db.session.query(Update).order_by(Update.id)]


def test_they_are_counted_and_listed_newest_first(quarantined):
    assert quarantine.count() == (3, 1)
    assert [row.id for row in quarantine.newest(2)] == [quarantined[2], quarantined[1]]
    assert [row.id for row in quarantine.newest(9, since=102)] == [quarantined[2]]
    assert quarantine.find(quarantined[1]).body == b'{"n": 1}'
    with pytest.raises(NotFound):
        quarantine.find(quarantined[3])


@pytest.mark.parametrize(
    ("arguments", "waiting"),
    [({}, {1, 2}), ({"since": 102}, {2}), ({"since": 500}, set()), ({"number": 1}, {1})],
)
def test_what_is_requeued_waits_again_and_the_rest_stays(live_app, quarantined, arguments, waiting):
    if "number" in arguments:
        arguments = {"number": quarantined[1]}
    assert quarantine.requeue(**arguments) == len(waiting)
    expected = [
        UpdateState.WAITING if place in waiting else UpdateState.QUARANTINED for place in range(3)
    ]
    assert states(live_app) == [*expected, UpdateState.DONE]


def test_the_commands_show_and_requeue(live_app, quarantined):
    runner = live_app.test_cli_runner()
    listed = runner.invoke(args=["updates", "list"]).stdout.splitlines()
    assert [json.loads(line)["id"] for line in listed] == quarantined[2::-1]
    assert json.loads(listed[0])["reason"] == "KeyError: 'x'"
    shown = runner.invoke(args=["updates", "show", "--id", str(quarantined[0])]).stdout
    assert "Traceback" in shown
    assert '{"n": 1}' in shown
    assert runner.invoke(args=["updates", "requeue"]).exit_code != 0
    done = runner.invoke(args=["updates", "requeue", "--all"])
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "2 updates will be processed again",
        "1 without an update id cannot be: updates show, updates discard",
    ]
    assert quarantine.count() == (1, 1)


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        ({}, set()),
        ({"unusable": True}, {1, 2}),
        ({"since": 102}, {0, 1}),
        ({"since": 102, "unusable": True}, {0, 1, 2}),
        ({"number": 1}, {0, 2}),
    ],
)
def test_only_quarantined_updates_are_discarded(live_app, quarantined, arguments, left):
    if "number" in arguments:
        arguments = {"number": quarantined[1]}
    assert quarantine.discard(**arguments) == 3 - len(left)
    assert states(live_app) == [UpdateState.QUARANTINED] * len(left) + [UpdateState.DONE]


def test_the_doctor_is_content_once_nothing_that_it_names_is_left(live_app, quarantined):
    runner = live_app.test_cli_runner()
    assert "requeue --all, and updates discard --unusable" in doctor_line(runner)
    runner.invoke(args=["updates", "requeue", "--all"])
    assert "then: updates discard --unusable" in doctor_line(runner)
    assert runner.invoke(args=["updates", "discard"]).exit_code != 0
    done = runner.invoke(args=["updates", "discard", "--unusable"])
    assert (done.exit_code, done.stdout) == (0, "1 updates are deleted\n")
    assert "ok    updates" in doctor_line(runner)


def doctor_line(runner):
    lines = runner.invoke(args=["doctor"]).stdout.splitlines()
    place = next(place for place, line in enumerate(lines) if "  updates:" in line)
    return "\n".join(lines[place : place + 2])
