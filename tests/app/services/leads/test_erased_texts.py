"""Texts that name an erased person are found without a lock and emptied in short steps."""

import pytest
from sqlalchemy import event, text

from app.extensions import db
from app.models import Message, MessageState, Update, UpdateState
from app.services.leads import erased_texts, erasure

PERSON = 9_876_543_210
BODY = f'{{"from": {{"id": {PERSON}}}}}'.encode()


def add_updates(bot: int, *bodies: bytes, state: UpdateState, first: int | None) -> None:
    """Store updates with ids from `first` on, or without ids."""
    for number, body in enumerate(bodies):
        update_id = None if first is None else first + number
        db.session.add(
            Update(bot_id=bot, update_id=update_id, body=body, received=1.0, state=state)
        )
    db.session.commit()


def bodies(bot: int) -> list[bytes]:
    found = db.session.query(Update).filter_by(bot_id=bot).order_by(Update.id)
    return [row.body for row in found]


@pytest.mark.parametrize("step", [1, 2, 3, 500])
def test_every_quarantined_body_with_the_id_is_emptied_and_no_other(world, monkeypatch, step):
    monkeypatch.setattr(erased_texts, "STEP", step)
    mine, theirs = world.bot(), world.bot()
    add_updates(mine, BODY, b"x", BODY, b"x", BODY, state=UpdateState.QUARANTINED, first=0)
    add_updates(mine, BODY, b"x", BODY, state=UpdateState.QUARANTINED, first=None)
    add_updates(mine, BODY, state=UpdateState.WAITING, first=10)
    add_updates(theirs, BODY, state=UpdateState.QUARANTINED, first=0)
    erased_texts.empty_updates([mine], PERSON)
    assert bodies(mine) == [b"", b"x", b"", b"x", b"", b"", b"x", b"", BODY]
    assert bodies(theirs) == [BODY]


@pytest.mark.parametrize("step", [1, 500])
def test_messages_by_bots_that_were_given_away_are_emptied_and_not_sent(
    world, others_world, monkeypatch, step
):
    monkeypatch.setattr(erased_texts, "STEP", step)
    bot = others_world.bot()
    columns = {"bot_id": bot, "campaign_id": 1, "lead_id": 1, "due": 1.0, "created": 1.0}
    mine, theirs = {"account_id": world.account_id}, {"account_id": others_world.account_id}
    for owner, chat in ((mine, PERSON), (mine, 5), (theirs, PERSON)):
        db.session.add(Message(text="Hi", entities="", markup="", chat_id=chat, **columns, **owner))
    db.session.commit()
    erased_texts.empty_messages(world.account_id, PERSON)
    rows = db.session.query(Message).order_by(Message.id).all()
    assert [(row.text, row.state) for row in rows] == [
        ("", MessageState.FAILED), ("Hi", MessageState.WAITING), ("Hi", MessageState.WAITING),
    ]  # fmt: skip


def test_they_are_searched_for_while_another_writes(live_app, world):
    """On SQLite whoever starts a transaction waits for the writer; who only reads need not."""
    bot = world.bot()
    add_updates(bot, b"x", state=UpdateState.QUARANTINED, first=0)
    with db.engine.begin():
        erased_texts.empty_updates([bot], PERSON)
        erased_texts.empty_messages(world.account_id, PERSON)


def test_while_it_holds_the_lock_an_erasure_reads_no_table_whole(live_app, world):
    """On SQLite all others wait meanwhile, and the tables may hold millions of rows."""
    if db.engine.dialect.name != "sqlite":
        pytest.skip("here writers do not wait for each other")
    bot = world.bot()
    campaign = world.campaign(bot_id=bot)
    lead = world.lead(campaign, subscriber=PERSON, bot_id=bot)
    world.attempt(world.postback(7, lead_id=lead, event="{}", campaign_id=campaign))
    plans: list[str] = []

    def explain(connection, cursor, statement, parameters, _context, many):
        if connection.get_execution_options().get("only_reads") or statement.startswith("EXPLAIN"):
            return
        if statement.startswith(("SELECT", "UPDATE", "DELETE")):
            raw = connection.connection.driver_connection
            first = parameters[0] if many else parameters
            rows = raw.execute(f"EXPLAIN QUERY PLAN {statement}", first).fetchall()
            plans.extend(f"{row[3]} - {statement}" for row in rows)

    event.listen(db.engine, "before_cursor_execute", explain)
    try:
        assert erasure.erase(world.account_id, PERSON) == 1
    finally:
        event.remove(db.engine, "before_cursor_execute", explain)
    tables = ("lead", "journal", "postback", "attempt", "message", "telegram_update", "unreachable")
    scans = tuple(f"SCAN {table}" for table in tables)
    assert [plan for plan in plans if plan.startswith(scans)] == []
    assert plans
    with db.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM lead WHERE subscriber < 0")) == 1
