"""Holds what a tracker heard against the tables, and the tables against the model of `crowd`."""

from collections import Counter, defaultdict
from functools import partial
from typing import Any, Final

from app.models import PostbackState, UpdateState
from tests.journeys.crowd import Member, Sender
from tests.journeys.system import System
from tests.support.waiting import eventually

#: Count updates that are to be processed, and postbacks that are to be sent.
UNFINISHED: Final = (
    f"SELECT count(*) FROM telegram_update WHERE state = {UpdateState.WAITING:d}",  # noqa: S608 - constants
    f"SELECT count(*) FROM postback WHERE state <= {PostbackState.SENDING:d}",  # noqa: S608 - constants
)
#: Writes down each postback whose holder did not come back.
RECLAIMS: Final = {
    "postgresql": """
        CREATE FUNCTION note_reclaim() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN INSERT INTO reclaim VALUES (OLD.id); RETURN NULL; END $$;
        CREATE TRIGGER reclaimed AFTER UPDATE ON postback FOR EACH ROW
            WHEN (OLD.state = 1 AND NEW.state = 0 AND OLD.tries = NEW.tries
                AND OLD.lease_until < extract(epoch FROM clock_timestamp()))
            EXECUTE FUNCTION note_reclaim()
    """,
    "sqlite": """
        CREATE TRIGGER reclaimed AFTER UPDATE ON postback
            WHEN OLD.state = 1 AND NEW.state = 0 AND OLD.tries = NEW.tries
                AND OLD.lease_until < (julianday('now') - 2440587.5) * 86400
            BEGIN INSERT INTO reclaim VALUES (OLD.id); END
    """,
}


def settle(system: System) -> None:
    """Wait until nothing is left to do, as long as ever less of it is left."""
    for query in UNFINISHED:
        while left := system.one(query):
            fewer = partial(_are_fewer, system, query, left)
            eventually(fewer, 60, f"less than {left:,} of: {query};")


def _are_fewer(system: System, query: str, than: int) -> bool:
    return system.one(query) < than


def compare_updates(system: System, *senders: Sender) -> None:
    """Every update that was accepted is stored once, and done; no answer but a wait was given."""
    ids = {posted.update_id for sender in senders for posted in sender.accepted}
    stored = {row.update_id: row.state for row in system.rows("SELECT * FROM telegram_update")}
    assert len(ids) == sum(sender.total for sender in senders)
    assert {stored.get(one) for one in ids} == {UpdateState.DONE}
    assert {status for sender in senders for status in sender.refusals} <= {0, 503}


def compare_leads(system: System, members: list[Member]) -> None:
    """Everybody ended up where the model says, with a line of the journal for each step."""
    found = {
        row.subscriber: {name: getattr(row, name) for name in members[0].lead()}
        for row in system.rows("SELECT * FROM lead")
    }
    assert found == {member.person.id: member.lead() for member in members}
    journaled = "SELECT count(*) FROM journal WHERE subscriber >= 7000000001"
    assert system.one(journaled) == sum(len(member.script) for member in members)


def compare_postbacks(system: System, tracker: Any, members: list[Member]) -> None:
    """The tracker heard all that is owed, in order; again only what `reclaim` knows of."""
    rows = system.rows(
        "SELECT p.id, p.state, p.kind, p.sequence, l.subscriber, c.code, p.lead_id FROM postback p"
        " JOIN lead l ON l.id = p.lead_id JOIN campaign c ON c.id = p.campaign_id"
    )
    assert {row.state for row in rows} == {PostbackState.DELIVERED}
    owed = {(m.person.id, n, kind) for m in members for n, kind in enumerate(m.reports, 1)}
    assert {(row.subscriber, row.sequence, row.kind) for row in rows} == owed
    assert len(rows) == len(owed)

    hits = tracker.log("/pb")
    by_event = defaultdict(list)
    for hit in hits:
        by_event[hit.query["eid"]].append(hit)
    ids = {f"{row.code}-{row.lead_id}-{row.sequence}": row.id for row in rows}
    assert by_event.keys() == ids.keys(), "lost, or sent without a row"

    reclaims = Counter(row[0] for row in system.rows("SELECT postback_id FROM reclaim"))
    for event, same in by_event.items():
        assert len({(hit.url, hit.idempotency_key) for hit in same}) == 1
        assert len(same) <= 1 + reclaims[ids[event]]
    doubles = len(hits) - len(by_event)
    assert doubles <= reclaims.total()
    for member in members:
        heard = [hit for hit in hits if hit.query["who"] == str(member.person.id)]
        first = list(dict.fromkeys(hit.query["eid"] for hit in heard))
        said = {hit.query["eid"]: hit.query["status"] for hit in heard}
        assert [said[event] for event in first] == member.reports, "out of order"
