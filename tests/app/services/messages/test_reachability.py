"""Who blocked a bot is not written to, until they start or unblock it."""

from typing import Any

from sqlalchemy import select

from app.domain.telegram.person import Person
from app.domain.telegram.updates import BotBlockedChanged
from app.extensions import db
from app.models import Action, JournalEntry, Unreachable
from app.services.messages import reachability

ANN = Person(101, "ann")
T = 1_800_000_000


def unreachable() -> set[tuple[int, int]]:
    rows = db.session.execute(select(Unreachable.bot_id, Unreachable.subscriber))
    return {(bot, person) for bot, person in rows}


def test_a_person_is_marked_once_and_the_first_reason_stays(app: Any) -> None:
    reachability.mark_unreachable(1, ANN.id, T, "blocked the bot")
    reachability.mark_unreachable(1, ANN.id, T + 5, "x" * 500)
    row = db.session.scalars(select(Unreachable)).one()
    assert (row.since, row.reason) == (T, "blocked the bot")


def test_a_long_reason_is_cut_to_its_column(app: Any) -> None:
    reachability.mark_unreachable(1, ANN.id, T, "x" * 500)
    assert db.session.scalars(select(Unreachable.reason)).one() == "x" * 200


def test_only_the_pairs_named_become_reachable(app: Any) -> None:
    for bot, person in ((1, 101), (1, 102), (2, 101)):
        reachability.mark_unreachable(bot, person, T, "blocked the bot")
    reachability.mark_reachable(db.session.connection(), [(1, 101), (3, 103)])
    assert unreachable() == {(1, 102), (2, 101)}
    reachability.mark_reachable(db.session.connection(), [])
    assert unreachable() == {(1, 102), (2, 101)}


def test_each_lead_of_the_person_with_this_bot_has_it_in_its_journal(world: Any) -> None:
    bot, other_bot = world.bot(), world.bot()
    leads = [
        world.lead(world.campaign(bot_id=bot), bot_id=bot, subscriber=ANN.id) for _ in range(2)
    ]
    world.lead(world.campaign(bot_id=other_bot), bot_id=other_bot, subscriber=ANN.id)
    world.lead(world.campaign(bot_id=bot), bot_id=bot, subscriber=102)
    blocked = BotBlockedChanged(ANN, reachable=False, date=T, update_id=5)
    reachability.record_block_change(bot, blocked)
    assert unreachable() == {(bot, ANN.id)}
    back = BotBlockedChanged(ANN, reachable=True, date=T + 9, update_id=6)
    reachability.record_block_change(bot, back)
    assert unreachable() == set()
    entries = db.session.scalars(select(JournalEntry).order_by(JournalEntry.id)).all()
    assert [(row.lead_id, row.action) for row in entries] == [
        *((lead, Action.BOT_STOPPED) for lead in leads),
        *((lead, Action.BOT_RESUMED) for lead in leads),
    ]
    assert {(row.time, row.update_id) for row in entries} == {(T, 5), (T + 9, 6)}
