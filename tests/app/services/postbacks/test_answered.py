"""What trackers answered last, read for a bounded number of deliveries."""

import pytest
from sqlalchemy import event

from app.errors import NotFound
from app.extensions import db
from app.models.postback import STATUS_CLASSES
from app.services.postbacks import answered, log
from app.services.postbacks.answered import LastAttempt, Latency


@pytest.fixture
def statements(app):
    """The statements that have been executed."""
    seen: list[str] = []

    def note(conn, cursor, statement, *_):
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield seen
    event.remove(db.engine, "before_cursor_execute", note)


def latency(account, **filters):
    """The latency beside a list with these filters."""
    return answered.figures(account.id, [], **filters).latency


def of_class(account, status, **filters):
    """The ids of the deliveries of a class."""
    return answered.of_class(account.id, status, **filters).rows


def test_the_last_attempt_of_each_is_told(world, account):
    dest = world.destination()
    first, second, untried = (world.postback(dest) for _ in range(3))
    world.attempt(first, status=500, ms=1)
    world.attempt(second, status=None, ms=2)
    world.attempt(first, status=200, ms=3)
    found = answered.last_attempts([first, second, untried])
    assert found == {first: LastAttempt(200, 3), second: LastAttempt(None, 2)}
    assert answered.last_attempts([]) == {}


@pytest.mark.parametrize(
    ("status", "name"),
    [(200, "2xx"), (302, "3xx"), (400, "4xx"), (599, "5xx"), (None, "none"), (0, "none")],
)
def test_codes_are_of_a_class(world, account, status, name):
    number = world.postback(world.destination())
    world.attempt(number, status=status, ms=3)
    for one in STATUS_CLASSES:
        page = answered.page_of_class(account.id, one)
        assert ([row.id for row in page.rows], page.total) == (
            ([number], 1) if one == name else ([], 0)
        )
        parts = list(answered.only_of_class(one, log.read_all(account.id)))
        assert [row.id for part in parts for row in part] == ([number] if one == name else [])


def test_a_delivery_that_was_not_tried_has_no_answer(world, account):
    number = world.postback(world.destination())
    assert of_class(account, "none") == [number]
    assert [len(part) for part in log.read_all(account.id, status="none")] == [1]


def test_the_code_is_that_of_the_last_attempt(world, account):
    number = world.postback(world.destination())
    world.attempt(number, status=500)
    world.attempt(number, status=200)
    assert not of_class(account, "5xx")
    assert not list(log.read_all(account.id, status="5xx"))


def test_deliveries_of_a_class_are_chosen_by_other_filters_too(world, account):
    one, other = world.destination(), world.destination()
    numbers = [
        world.postback(dest, kind=kind) for dest in (one, other) for kind in ("hold", "wait")
    ]
    assert of_class(account, "none", dest=other, event="hold", state=4) == [numbers[2]]
    assert of_class(account, "none", event="wait", state=4) == [numbers[3], numbers[1]]
    assert not of_class(account, "none", state=2)


def test_those_that_failed_are_found_however_far_back_by_their_own_index(
    world, account, monkeypatch
):
    monkeypatch.setattr(answered, "SEARCHED", 2)
    dest = world.destination()
    failed = world.postback(dest, created=1.0, state=4)
    for age in range(3):
        world.postback(dest, created=1000.0 - age, state=2)
    assert of_class(account, "none", state=4) == [failed]
    assert not of_class(account, "none", state=4, dest=dest)


def test_deliveries_of_a_class_come_newest_first_and_go_on_behind_the_last(world, account):
    dest = world.destination()
    numbers = [world.postback(dest, created=1000.0 - age) for age in range(5)]
    for number, status in zip(numbers, (500, 200, 502, 503, 200), strict=True):
        world.attempt(number, status=status)
    page = answered.of_class(account.id, "5xx", limit=2)
    assert page == ([numbers[0], numbers[2]], 3)
    assert answered.of_class(account.id, "5xx", limit=2, offset=2) == ([numbers[3]], 3)
    assert answered.of_class(account.id, "5xx", limit=2, before=numbers[2]) == ([numbers[3]], 3)
    assert answered.of_class(account.id, "5xx", limit=2, before=numbers[3]) == ([], 3)
    assert answered.of_class(account.id, "5xx", offset=9) == ([], 3)


def test_they_are_looked_for_among_the_newest_only(world, account, monkeypatch):
    monkeypatch.setattr(answered, "SEARCHED", 3)
    dest = world.destination()
    numbers = [world.postback(dest, created=1000.0 - age) for age in range(4)]
    assert answered.of_class(account.id, "none") == (numbers[:3], 3)
    assert of_class(account, "none", until=998) == numbers[2:]
    (part,) = log.read_all(account.id, status="none")
    assert [row.id for row in part] == numbers


def test_those_of_a_class_are_sent_again_together(world, account):
    dest, now = world.destination(), 1000.0
    numbers = [world.postback(dest, created=now - age, kind="hold") for age in range(3)]
    world.attempt(numbers[0], status=200)
    world.attempt(numbers[1], status=503)
    world.postback(dest, created=now, state=0)
    assert log.by_tracker_and_event(account.id, status="5xx") == {(dest, "hold"): 1}
    assert log.resend(account.id, status="5xx") == 1
    assert [row.id for row in log.listed(account.id, state=0, status="5xx").rows] == [numbers[1]]
    assert log.resend(account.id, status="none", event="hold") == 1


def test_deliveries_of_a_class_are_the_accounts_own(world, others_world, account):
    theirs = others_world.destination()
    number = others_world.postback(theirs)
    assert not of_class(account, "none")
    assert not of_class(account, "none", dest=theirs)
    assert not of_class(account, "none", state=4)
    with pytest.raises(NotFound):
        of_class(account, "none", before=number)
    with pytest.raises(NotFound):
        log.listed(account.id, status="none", dest=theirs)
    with pytest.raises(NotFound):
        log.resend(account.id, status="none", dest=theirs)


def test_latency_is_that_of_last_attempts(world, account):
    dest = world.destination()
    assert latency(account) is None
    for ms in range(1, 21):
        number = world.postback(dest, created=float(ms))
        world.attempt(number, ms=9999)
        world.attempt(number, ms=ms)
    assert latency(account) == Latency(10, 19, 20)
    assert latency(account, since=11) == Latency(15, 20, 10)
    assert latency(account, since=11, until=12) == Latency(11, 12, 2)
    assert latency(account, until=-5) is None


def test_latency_is_that_of_what_the_filters_find(world, account):
    one, other = world.destination(), world.destination()
    rows = [
        world.postback(one, kind="approve", state=2, campaign_id=8),
        world.postback(one, kind="hold", state=4, campaign_id=8),
        world.postback(other, kind="hold", state=2, campaign_id=9, lead_id=77),
    ]
    for ms, number in enumerate(rows, 1):
        world.attempt(number, ms=ms)
    assert latency(account, dest=other) == Latency(3, 3, 1)
    assert latency(account, campaign=8, event="hold") == Latency(2, 2, 1)
    assert latency(account, dest=one, campaign=8) == Latency(1, 2, 2)
    assert latency(account, state=2) == Latency(1, 3, 2)
    assert latency(account, lead=77) == Latency(3, 3, 1)
    assert latency(account, lead=77, state=4) is None


def test_a_neighbour_has_no_part_in_latency(world, others_world, account):
    theirs = others_world.destination()
    others_world.attempt(others_world.postback(theirs, lead_id=78), ms=5)
    assert latency(account) is None
    assert latency(account, dest=theirs) is None
    assert latency(account, lead=78) is None


def test_latency_is_measured_among_the_newest_only(world, account, monkeypatch):
    monkeypatch.setattr(answered, "MEASURED", 2)
    dest = world.destination()
    for age in range(4):
        kind = "approve" if age == 3 else "hold"
        number = world.postback(dest, created=1000.0 - age, kind=kind)
        world.attempt(number, ms=age + 1)
    assert latency(account) == Latency(1, 2, 2)
    assert latency(account, event="approve") is None


def test_figures_are_one_statement_and_another_for_what_is_older(world, account, statements):
    number = world.postback(world.destination(), kind="approve")
    world.attempt(number)
    statements.clear()
    answered.figures(account.id, [number], event="approve")
    answered.figures(account.id, [number], event="hold")
    answered.of_class(account.id, "2xx", event="approve")
    assert len([one for one in statements if one.startswith(("SELECT", "WITH"))]) == 4
    assert log.oldest_due(account.id, 1.0) is None
