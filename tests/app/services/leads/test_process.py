"""Updates move leads, write the journal and stage postbacks, in one commit."""

import itertools
import json
import time

import psycopg
import pytest
import redis
from sqlalchemy import select, text
from sqlalchemy import update as update_rows
from sqlalchemy.exc import SQLAlchemyError

from app.database import faults
from app.domain.lead import State
from app.domain.time_ranges import DAY
from app.extensions import db
from app.models import (
    Account,
    Campaign,
    CampaignDay,
    CampaignStatus,
    Message,
    PostbackState,
    Unreachable,
    UpdateState,
)
from app.sandbox.telegram import people
from app.services import pending_work, postbacks
from app.services.accounts import accounts
from app.services.leads import process
from app.services.leads.batch import LeadBatch
from app.services.messages import claim as messages_claim
from app.services.updates import inbox
from tests.support import bot_api

ANN = people.Person(101, first_name="Ann", username="ann", premium=True)
BOB = people.Person(102, first_name="Bob")
T = 1_800_000_000


def _chat(stage):
    return people.Chat(stage.chat, "Chat & more", "supergroup")


def test_a_start_creates_a_waiting_lead_and_owes_one_postback(stage):
    stage.play(people.start(ANN, f"{stage.code}-click-1", T))
    lead = stage.lead(ANN.id)
    assert (lead.state, lead.click, lead.username, lead.premium) == (0, "click-1", "ann", True)
    (postback,) = stage.postbacks()
    event = json.loads(postback.event)
    assert postback.state == PostbackState.WAITING
    assert event["kind"] == "wait"
    assert event["id"] == f"{stage.code}-{lead.id}-1"
    assert (event["click"], event["chat"], event["time"]) == ("click-1", stage.chat, T)


def test_the_whole_life_of_a_lead(stage):
    chat = _chat(stage)
    stage.play(
        people.start(ANN, f"{stage.code}-a", T),
        people.join_request(ANN, chat, T + 1),
        people.join(ANN, chat, T + 2),
        people.leave(ANN, chat, T + 3),
        people.join(ANN, chat, T + 4),
        people.kick(ANN, chat, T + 5),
    )
    assert stage.kinds() == ["wait", "hold", "approve", "cancel", "approve", "trash"]
    assert stage.lead(ANN.id).state == State.TRASH
    assert [one.action for one in stage.journal()] == [5, 4, 1, 2, 1, 3]
    assert {one.state for one in stage.updates()} == {UpdateState.DONE}
    day = db.session.get(CampaignDay, (stage.campaign, T // 86400))
    assert (day.starts, day.holds, day.confirms, day.unsubs) == (1, 1, 2, 2)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_all_orders_of_start_request_and_join_end_alike(stage, order):
    chat = _chat(stage)
    updates = [
        people.start(ANN, f"{stage.code}-a", T) | {"update_id": 10},
        people.join_request(ANN, chat, T + 1) | {"update_id": 11},
        people.join(ANN, chat, T + 2) | {"update_id": 12},
    ]
    stage.play(*(updates[index] for index in order))
    lead = stage.lead(ANN.id)
    assert (lead.state, lead.click, lead.start_time, lead.join_time) == (2, "a", T, T + 2)
    assert sorted(stage.kinds()) == ["approve", "hold", "wait"]
    assert len(stage.journal()) == 3
    assert {one.lead_id for one in stage.journal()} == {lead.id}


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_all_orders_end_alike_within_one_batch(stage, order):
    chat = _chat(stage)
    updates = [
        people.start(ANN, f"{stage.code}-a", T) | {"update_id": 10},
        people.join_request(ANN, chat, T + 1) | {"update_id": 11},
        people.join(ANN, chat, T + 2) | {"update_id": 12},
    ]
    for index in order:
        stage.receive(updates[index])
    stage.play()
    process.process_updates(seconds=60)
    assert stage.lead(ANN.id).state == State.APPROVE
    assert sorted(stage.kinds()) == ["approve", "hold", "wait"]
    assert len(stage.journal()) == 3


def test_a_repeated_update_moves_nothing_twice(stage):
    update = people.start(ANN, f"{stage.code}-a", T) | {"update_id": 7}
    stage.play(update, update)
    assert stage.kinds() == ["wait"]


def test_an_organic_join_is_journaled_and_reports_nothing(stage):
    stage.play(people.join(ANN, _chat(stage), T))
    assert stage.lead(ANN.id) is None
    assert stage.postbacks() == []
    (entry,) = stage.journal()
    assert (entry.action, entry.lead_id, entry.subscriber) == (1, None, ANN.id)


def test_a_start_with_another_tenants_code_finds_nothing(make_stage):
    mine, theirs = make_stage(), make_stage()
    mine.play(people.start(ANN, f"{theirs.code}-a", T))
    assert mine.postbacks() == theirs.postbacks() == []
    assert theirs.lead(ANN.id) is None


def test_two_bots_that_watch_one_chat_make_one_happening(make_stage):
    one, other = make_stage(), make_stage()
    one.play(people.start(ANN, f"{one.code}-a", T))
    chat = _chat(one)
    one.play(people.join(ANN, chat, T + 1))
    other.play(people.join(ANN, chat, T + 1))
    assert one.kinds() == ["wait", "approve"]
    assert len(one.journal()) == 2


def test_a_paused_campaign_moves_its_leads_and_says_nothing(make_stage):
    stage = make_stage(welcome="hello")
    stage.play(people.start(ANN, f"{stage.code}-a", T))
    db.session.get(Campaign, stage.campaign).status = CampaignStatus.PAUSED
    db.session.commit()
    stage.play(
        people.join(ANN, _chat(stage), T + 1),
        people.start(BOB, f"{stage.code}-b", T + 2),
    )
    assert stage.kinds() == ["wait"]
    assert stage.lead(ANN.id).state == State.APPROVE
    assert stage.lead(BOB.id) is None
    assert len(list(db.session.query(Message))) == 1


def test_a_deleted_campaign_does_nothing_at_all(stage):
    db.session.get(Campaign, stage.campaign).status = CampaignStatus.DELETED
    db.session.commit()
    stage.play(people.start(ANN, f"{stage.code}-a", T))
    assert stage.updates()[0].state == UpdateState.IGNORED
    assert stage.journal() == []


def test_a_welcome_is_rendered_for_the_person(make_stage):
    stage = make_stage(
        welcome="Hi *{username}*, join {title}",
        button_text="Join",
        button_url="https://example.com/?c={click}",
    )
    stage.play(people.start(ANN, f"{stage.code}-a_b", T))
    (message,) = db.session.query(Message)
    assert message.chat_id == ANN.id
    assert message.text == "Hi ann, join Chat & more"
    assert json.loads(message.entities) == [{"type": "bold", "offset": 3, "length": 3}]
    assert message.parse_mode == ""
    assert json.loads(message.markup)["inline_keyboard"][0][0]["url"] == (
        "https://example.com/?c=a_b"
    )


def test_a_group_that_becomes_a_supergroup_keeps_its_campaign(stage):
    old, new = _chat(stage), people.Chat(-100_777, "Chat & more", "supergroup")
    stage.play(
        people.start(ANN, f"{stage.code}-a", T),
        bot_api.migrated(old, new, T + 1),
        bot_api.migrated_from(old, new, T + 1),
        people.join(ANN, new, T + 2),
    )
    assert stage.kinds() == ["wait", "approve"]


def test_blocking_the_bot_marks_the_person_until_they_start_again(stage):
    stage.play(people.start(ANN, f"{stage.code}-a", T), people.bot_blocked(ANN, T + 1))
    assert db.session.get(Unreachable, (stage.bot, ANN.id)) is not None
    assert [one.action for one in stage.journal()] == [5, 6]
    stage.play(people.start(ANN, "", T + 2))
    db.session.expire_all()
    assert db.session.get(Unreachable, (stage.bot, ANN.id)) is None


def test_an_update_that_raises_is_quarantined_and_blocks_nobody(stage, monkeypatch):
    original = LeadBatch.save

    def save(batch, **options):
        if any(context.person.id == BOB.id for context in batch._contexts.values()):
            raise RuntimeError("a bug of ours")
        return original(batch, **options)

    monkeypatch.setattr(LeadBatch, "save", save)
    for person in (ANN, BOB, people.Person(103)):
        stage.receive(people.start(person, f"{stage.code}-a", T))
    process.process_updates(seconds=60)
    states = [one.state for one in stage.updates()]
    assert states == [UpdateState.DONE, UpdateState.QUARANTINED, UpdateState.DONE]
    assert "a bug of ours" in stage.updates()[1].reason
    assert stage.kinds() == ["wait", "wait"]


def test_hostile_texts_are_stored_clean(stage):
    person = people.Person(105, first_name="\x00\ud800" + "x" * 500, username="u" * 500)
    update = people.start(person, f"{stage.code}-" + "é\x00" * 300, T) | {"update_id": 9}
    inbox.store_updates(stage.bot, [json.dumps(update).encode()])
    process.process_updates(seconds=60)
    lead = stage.lead(person.id)
    assert lead is not None
    assert "\x00" not in lead.click + lead.first_name


def test_large_and_negative_ids_are_kept_exactly(stage):
    person = people.Person(2**52 - 1)
    stage.play(people.start(person, f"{stage.code}-a", T))
    assert stage.lead(2**52 - 1) is not None


@pytest.mark.parametrize("table", ["lead", "journal", "campaign_day"])
def test_a_fault_of_the_database_quarantines_nothing(live_app, stage, table):
    """A column is away for a while, as in a botched migration: all go on when it is back."""
    chat = _chat(stage)
    for number, update in enumerate(
        (people.start(ANN, f"{stage.code}-a", T), people.join(ANN, chat, T + 1))
    ):
        stage.receive({"update_id": number + 1, **update})
    _rename(table, "campaign_id", "elsewhere")
    try:
        for _ in range(3):
            with pytest.raises(SQLAlchemyError):
                process.process_updates(seconds=60)
            db.session.rollback()
    finally:
        _rename(table, "elsewhere", "campaign_id")
    assert {row.state for row in stage.updates()} == {UpdateState.WAITING}
    db.session.rollback()
    assert process.process_updates(seconds=60) == 2
    assert {row.state for row in stage.updates()} == {UpdateState.DONE}


def _rename(table: str, old: str, new: str) -> None:
    with db.engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}"))


@pytest.fixture
def administer(stage):
    """Run statements as the operator does, in transactions of their own."""

    def administer(*statements):
        with db.engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))

    return administer


def _assert_waits_and_goes_on(stage, begin, end):
    for number in range(10):
        stage.receive(people.start(people.Person(200 + number), f"{stage.code}-a", T))
    begin()
    try:
        for _ in range(3):
            with pytest.raises(SQLAlchemyError):
                process.process_updates(seconds=60)
        db.session.remove()
    finally:
        end()
    assert {one.state for one in stage.updates()} == {UpdateState.WAITING}
    assert process.process_updates(seconds=60) == 10
    assert {one.state for one in stage.updates()} == {UpdateState.DONE}
    assert stage.kinds() == ["wait"] * 10


def test_a_right_that_is_revoked_for_a_while_is_no_fault_of_the_updates(
    stage, administer, monkeypatch
):
    """As a platform does beyond a plan's size. The tests own all tables; a tenant does not."""
    if db.engine.dialect.name == "sqlite":
        pytest.skip("a file has no rights for roles")
    administer(
        "DROP ROLE IF EXISTS renter",
        "CREATE ROLE renter",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO renter",
        "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO renter",
    )
    original = process.process_batch

    def as_renter(*arguments):
        db.session.execute(text("SET LOCAL ROLE renter"))
        return original(*arguments)

    monkeypatch.setattr(process, "process_batch", as_renter)
    try:
        _assert_waits_and_goes_on(
            stage,
            begin=lambda: administer("REVOKE INSERT ON lead FROM renter"),
            end=lambda: administer("GRANT INSERT ON lead TO renter"),
        )
    finally:
        db.session.remove()
        administer("DROP OWNED BY renter", "DROP ROLE renter")


def test_a_database_that_is_read_only_for_a_while_is_no_fault_of_the_updates(stage, administer):
    name = db.engine.url.database
    if db.engine.dialect.name == "sqlite":
        pytest.skip("only a server can be set read-only")

    def begin():
        with db.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(
                text(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
            )
        db.engine.dispose()

    def end():
        with db.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("SET default_transaction_read_only = off"))
            connection.execute(text(f"ALTER DATABASE {name} RESET default_transaction_read_only"))
        db.engine.dispose()

    _assert_waits_and_goes_on(stage, begin, end)


OUTAGES = {
    "no connection": psycopg.OperationalError("the connection is closed"),
    "a pipeline that was aborted": psycopg.errors.PipelineAborted(),
    "a missing column": psycopg.errors.UndefinedColumn(),
    "no descriptor left": OSError(24, "Too many open files"),
    "Redis": redis.ConnectionError(),
}


@pytest.mark.parametrize("step", ["apply", "prepare", "save"])
@pytest.mark.parametrize("outage", OUTAGES.values(), ids=OUTAGES)
def test_what_a_driver_or_a_network_raises_by_itself_is_no_fault_of_the_updates(
    stage, monkeypatch, outage, step
):
    """Also of one that came alone, wherever in its batch it is met."""

    def fails(*_arguments, **_named):
        raise outage

    stage.receive(people.start(ANN, f"{stage.code}-a", T))
    with monkeypatch.context() as patch:
        patch.setattr(LeadBatch, step, fails)
        for _ in range(3):
            with pytest.raises(faults.OUTAGES):
                process.process_updates(seconds=60)
    assert {one.state for one in stage.updates()} == {UpdateState.WAITING}
    assert process.process_updates(seconds=60) == 1
    assert stage.kinds() == ["wait"]


def test_a_value_that_a_driver_refuses_by_itself_is_the_fault_of_its_update_alone(
    stage, monkeypatch
):
    def fails(*_arguments, **_named):
        raise psycopg.errors.NumericValueOutOfRange

    stage.receive(people.start(ANN, f"{stage.code}-a", T))
    monkeypatch.setattr(LeadBatch, "save", fails)
    process.process_updates(seconds=60)
    assert [one.state for one in stage.updates()] == [UpdateState.QUARANTINED]


def test_a_value_that_the_database_refuses_is_the_fault_of_its_update_alone(stage, administer):
    administer("CREATE UNIQUE INDEX of_this_test ON lead (username)")
    try:
        for number in (1, 2, 3):
            name = "same" if number < 3 else "other"
            person = people.Person(300 + number, username=name)
            stage.receive(people.start(person, f"{stage.code}-a", T))
        process.process_updates(seconds=60)
    finally:
        db.session.remove()
        administer("DROP INDEX of_this_test")
    states = [one.state for one in stage.updates()]
    assert states == [UpdateState.DONE, UpdateState.QUARANTINED, UpdateState.DONE]


def test_an_update_that_another_worker_has_taken_since_is_not_replaced_by_an_innocent_one(
    make_stage, monkeypatch
):
    """Between the fault and the quarantine another worker may take the culprit."""
    taken, innocent = make_stage(), make_stage()
    taken.receive(people.start(ANN, f"{taken.code}-a", T))
    innocent.receive(people.start(BOB, f"{innocent.code}-a", T))
    original = inbox.claim_again
    calls = []

    def claim_again(connection, updates):
        calls.append(updates)
        return original(connection, updates if len(calls) == 1 else [])

    def fails(*_arguments):
        raise RuntimeError("a bug of ours")

    monkeypatch.setattr(inbox, "claim_again", claim_again)
    monkeypatch.setattr(process, "_dispatch", fails)
    assert process.process_updates(seconds=60, stop=lambda: len(calls) >= 2) == 0
    assert [len(updates) for updates in calls] == [1, 1]  # the culprit alone, and its quarantine
    states = {one.state for one in (*taken.updates(), *innocent.updates())}
    assert states == {UpdateState.WAITING}


def test_a_batch_that_fails_is_halved_until_its_culprit_is_alone(stage, monkeypatch):
    for number in range(64):
        stage.receive(people.start(people.Person(200 + number), f"{stage.code}-a", T))
    original = process._move_leads
    sizes = []

    def move_leads(batch, campaigns, incoming, results):
        sizes.append(len(incoming))
        if any(entry.event.person.id == 240 for entry in incoming):
            raise RuntimeError("a bug of ours")
        return original(batch, campaigns, incoming, results)

    monkeypatch.setattr(process, "_move_leads", move_leads)
    assert process.process_updates(seconds=60) == 64
    assert len(sizes) == 1 + 2 * 6
    states = [one.state for one in stage.updates()]
    assert states.count(UpdateState.DONE) == 63
    assert states[40] == UpdateState.QUARANTINED
    assert stage.kinds() == ["wait"] * 63


def _ban(account, *, suspend):
    login = db.session.scalar(select(Account.login).where(Account.id == account))
    db.session.commit()
    accounts.ban(login, banned=suspend)


def _stop_paying(account, *, suspend):
    until = int(time.time()) + (-8 if suspend else 8) * DAY
    db.session.execute(update_rows(Account).where(Account.id == account).values(paid_until=until))
    db.session.commit()


@pytest.fixture(params=[_ban, _stop_paying])
def suspend(request):
    """`suspend(account, suspend=True)`: by a ban, and by a plan whose grace is over."""
    return request.param


def test_a_suspended_account_is_neither_reported_for_nor_spoken_for_until_it_goes_on(
    make_stage, suspend
):
    stage = make_stage(welcome="hello")
    stage.play(people.start(ANN, f"{stage.code}-a", T))
    now = time.time() + 60
    assert pending_work.look(now).postbacks
    assert pending_work.look(now).messages
    suspend(stage.account, suspend=True)
    assert not pending_work.look(now).postbacks
    assert not pending_work.look(now).messages
    claimed = postbacks.claim(
        db.session.connection(),
        now=now,
        lease="x",
        until=now + 9,
        after=0,
        quota_for=lambda _, most: min(9, most),
        most=9,
    )
    assert not claimed.postbacks
    spoken = messages_claim.claim(db.session.connection(), now=now, lease_seconds=9, most=9)
    assert not spoken.messages
    db.session.rollback()
    stage.play(people.start(BOB, f"{stage.code}-b", T), people.join(ANN, _chat(stage), T + 2))
    assert [one.state for one in stage.updates()][1:] == [UpdateState.IGNORED] * 2
    assert stage.lead(ANN.id).state == State.WAIT
    assert stage.kinds() == ["wait"]
    suspend(stage.account, suspend=False)
    assert pending_work.look(now).postbacks
    assert pending_work.look(now).messages
    db.session.rollback()
    stage.play(people.join(ANN, _chat(stage), T + 3))
    assert stage.kinds() == ["wait", "approve"]


def test_of_a_suspended_account_nothing_is_stored_but_what_it_needs_to_go_on(make_stage, suspend):
    stage = make_stage()
    suspend(stage.account, suspend=True)
    new = people.Chat(-100_999_999, "Chat", "supergroup")
    story = [
        people.text(ANN, "a private word"),
        people.start(ANN, f"{stage.code}-a", T),
        people.join(ANN, _chat(stage), T + 1),
        people.bot_blocked(ANN, T + 2),
        people.bot_rights(_chat(stage), admin=True, date=T + 3),
        bot_api.migrated(_chat(stage), new, T + 4),
    ]
    for played in story:
        stage.play(played | {"update_id": 50 + story.index(played)})
    assert {one.body for one in stage.updates()} == {b""}
    reasons = [one.reason for one in stage.updates()]
    assert reasons.count("the account is suspended") == 2
    stage.play(people.text(ANN, "a private word") | {"update_id": 50})  # Telegram repeats it
    assert len(stage.updates()) == len(story)
    assert db.session.scalars(select(Unreachable.bot_id)).all() == [stage.bot]
    assert db.session.get(Campaign, stage.campaign).chat_id == new.id
    db.session.commit()
