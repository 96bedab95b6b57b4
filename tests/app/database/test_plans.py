"""Hot statements reach their rows one by one, also in tables that nobody has analyzed.

PostgreSQL keeps a plan that it made while a table was small. Here the tables
grow without ANALYZE, as they do in a flood.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, event, select, text

from app.database.advisory_locks import AdvisoryLock, lock_queue
from app.database.direct import fetch
from app.database.rows import fetch_rows, update_rows
from app.extensions import db
from app.models import (
    Account,
    Click,
    Conversion,
    DecidedBy,
    Destination,
    JoinRequest,
    JournalTally,
    Lead,
    Postback,
    PostbackState,
    RequestState,
    Span,
    Update,
    UpdateState,
    table_of,
)
from app.services import pending_work, postbacks
from app.services.clicks.owner import source_stats
from app.services.conversions import people, staging
from app.services.join_requests.owner import measures
from app.services.leads import journal
from app.services.leads.batch import _leads_in
from app.services.lists import long_lists, row_counts
from app.services.lists.long_lists import RowQuery
from app.services.lists.scope import Scope
from app.services.updates import inbox

POSTBACKS = table_of(Postback)
UPDATES = table_of(Update)
BATCH = 100
#: An index of three levels, the row, and what is left of its earlier versions.
BLOCKS_PER_ROW = 12


@pytest.fixture
def connection(live_app) -> Iterator[Connection]:
    if db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite walks its indexes in the order of the statement")
    with db.engine.connect() as connection:
        yield connection
        connection.rollback()


def plans_of(connection: Connection, table: str, run: Any) -> list[dict[str, Any]]:
    """What reading `table` costs in the statements of `run`."""
    statements: list[tuple[str, Any]] = []

    def note(_connection, _cursor, statement, parameters, *_):
        statements.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    savepoint = connection.begin_nested()
    run()
    savepoint.rollback()
    event.remove(connection, "before_cursor_execute", note)
    nodes = []
    for statement, parameters in statements:
        if table not in statement or "SAVEPOINT" in statement:
            continue
        explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}"
        with connection.begin_nested() as nested:
            (plans,) = connection.exec_driver_sql(explain, parameters).one()
            nested.rollback()
        plans = json.loads(plans) if isinstance(plans, str) else plans
        nodes += [node for node in _walk(plans[0]["Plan"]) if _reads(node, table)]
    assert nodes
    return nodes


def _walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _walk(child)


def _reads(node: dict[str, Any], table: str) -> bool:
    return node.get("Relation Name") == table and node["Node Type"] != "ModifyTable"


def assert_one_by_one(nodes: list[dict[str, Any]], rows: int) -> None:
    assert_bounded(nodes, rows)
    for node in nodes:
        assert node["Node Type"] != "Seq Scan", node


def assert_bounded(nodes: list[dict[str, Any]], rows: int) -> None:
    for node in nodes:
        blocks = node["Shared Hit Blocks"] + node["Shared Read Blocks"]
        assert blocks <= rows * BLOCKS_PER_ROW, node


@pytest.mark.parametrize("analyzed", [0, 1, 20])
@pytest.mark.parametrize("rows", [100, 10_000])
def test_outcomes_find_their_postbacks_among_dead_entries(connection, rows, analyzed):
    row = {
        "account_id": 1, "campaign_id": 1, "destination_id": 1, "sequence": 1, "kind": "wait",
        "event": "{}", "state": int(PostbackState.SENDING), "due": 1, "created": 1,
        "lease": "ours", "lease_until": 9,
    }  # fmt: skip
    ended = {**row, "destination_id": 2, "state": int(PostbackState.DELIVERED)}
    for number in range(analyzed):
        connection.execute(POSTBACKS.insert(), {**ended, "lead_id": number})
    if analyzed:
        connection.execute(text("ANALYZE postback"))
    connection.execute(POSTBACKS.insert(), [{**row, "lead_id": number} for number in range(rows)])
    sent = POSTBACKS.update().where(POSTBACKS.c.id % max(2, rows // BATCH) > 0)
    connection.execute(sent.values(state=int(PostbackState.DELIVERED)))
    in_flight = select(POSTBACKS.c.id).where(POSTBACKS.c.state == PostbackState.SENDING)
    ids = connection.scalars(in_flight.limit(BATCH)).all()
    changes = [(row_id, int(PostbackState.DELIVERED)) for row_id in ids]

    def settle():
        fence = {"state": int(PostbackState.SENDING), "lease": "ours"}
        assert update_rows(connection, POSTBACKS, ["state"], changes, **fence) == len(ids)

    nodes = plans_of(connection, "postback", settle)
    assert_bounded(nodes, len(ids))
    if rows > BATCH:  # a few pages may as well be read whole
        assert_one_by_one(nodes, len(ids))


@pytest.mark.parametrize("rows", [100, 10_000])
def test_updates_are_read_and_finished_without_those_that_are_kept(connection, rows):
    row = {"bot_id": 1, "body": b"{}", "received": 1, "state": int(UpdateState.DONE)}
    connection.execute(UPDATES.insert(), [{**row, "update_id": number} for number in range(rows)])
    arrived = UPDATES.update().where(UPDATES.c.id % max(1, rows // BATCH) == 0)
    connection.execute(arrived.values(state=int(UpdateState.WAITING)))
    claimed = inbox.claim(connection, BATCH).updates
    assert claimed

    def process():
        again = inbox.claim(connection, BATCH).updates
        done = [inbox.UpdateResult(row.id, UpdateState.DONE) for row in again]
        inbox.finish(connection, done)

    assert_one_by_one(plans_of(connection, "telegram_update", process), 2 * len(claimed))


def test_the_clock_looks_for_what_waits_and_not_at_what_is_done(connection):
    """Also where it was analyzed last while all of it waited."""
    update = {"bot_id": 1, "body": b"{}", "received": 1}
    postback = {"account_id": 1, "campaign_id": 1, "destination_id": 1, "sequence": 1,
                "kind": "wait", "event": "{}", "due": 1, "created": 1}  # fmt: skip
    many = range(BATCH, 10_000)
    for table, number, row, waits, done in (
        (UPDATES, "update_id", update, UpdateState.WAITING, UpdateState.DONE),
        (POSTBACKS, "lead_id", postback, PostbackState.WAITING, PostbackState.DELIVERED),
    ):
        first = [{**row, number: n, "state": int(waits)} for n in range(BATCH)]
        connection.execute(table.insert(), first)
        connection.execute(text(f"ANALYZE {table.name}"))
        connection.execute(table.update().values(state=int(done)))
        connection.execute(table.insert(), [{**row, number: n, "state": int(done)} for n in many])

    def look():
        (row,) = fetch(connection, pending_work._LOOK, {})
        assert not any((row.updates, row.postbacks))

    for table in (UPDATES, POSTBACKS):
        assert_one_by_one(plans_of(connection, table.name, look), BATCH)


@pytest.mark.parametrize("analyzed", [False, True])
@pytest.mark.parametrize("kept", [100, 20_000])
def test_a_claim_of_updates_looks_at_no_more_than_it_takes(connection, kept, analyzed):
    """Of 300 bots that wait, one with a long queue, beside many updates that are kept."""
    row = {"body": b"{}", "received": 1, "state": int(UpdateState.DONE)}
    done = [{**row, "bot_id": number % 300, "update_id": number} for number in range(kept)]
    connection.execute(UPDATES.insert(), done)
    if analyzed:
        connection.execute(text("ANALYZE telegram_update"))
    waiting = {**row, "state": int(UpdateState.WAITING)}
    queues = [(number % 300 + 1, kept + number) for number in range(900)]
    queues += [(1, kept + 1000 + number) for number in range(5_000)]
    rows = [{**waiting, "bot_id": bot, "update_id": number} for bot, number in queues]
    connection.execute(UPDATES.insert(), rows)

    def claim():
        assert len(inbox.claim(connection, 400, after=20).updates) == 400

    assert_one_by_one(plans_of(connection, "telegram_update", claim), 400)


@pytest.mark.parametrize(("rows", "analyzed"), [(100, 0), (10_000, 0), (10_000, 1), (10_000, 20)])
def test_the_leads_of_a_batch_are_found_by_their_key(connection, rows, analyzed):
    """Also in a table that was analyzed when each campaign had one lead."""
    row = {"account_id": 1, "campaign_id": 1, "bot_id": 1, "state": 0, "updated": 1,
           "start_time": 1, "last_start_at": 1}  # fmt: skip
    connection.execute(text("SET LOCAL session_replication_role = replica"))  # no campaign needed
    for number in range(analyzed):
        first = {**row, "campaign_id": 1000 + number, "subscriber": number}
        connection.execute(table_of(Lead).insert(), first)
    if analyzed:
        connection.execute(text("ANALYZE lead"))
    people = [{**row, "subscriber": number} for number in range(rows)]
    connection.execute(table_of(Lead).insert(), people)
    keys = [(1, number) for number in range(BATCH)]

    def read():
        assert len(fetch_rows(connection, _leads_in, ["c", "s"], keys)) == BATCH

    assert_one_by_one(plans_of(connection, "lead", read), BATCH)


@pytest.mark.parametrize("analyzed", [0, 1, 20])
def test_older_postbacks_of_a_lead_are_found_among_many_of_its_destination(connection, analyzed):
    row = {
        "account_id": 1, "campaign_id": 1, "sequence": 1, "kind": "wait", "event": "{}",
        "state": int(PostbackState.WAITING), "tries": 1, "due": 1, "created": 1,
    }  # fmt: skip
    for number in range(analyzed):
        other = {**row, "destination_id": 1000 + number, "lead_id": -number}
        connection.execute(POSTBACKS.insert(), other)
    if analyzed:
        connection.execute(text("ANALYZE postback"))
    rows = [{**row, "destination_id": 1, "lead_id": number} for number in range(10_000)]
    connection.execute(POSTBACKS.insert(), rows)
    newer = [
        postbacks.NewPostback(1, 1, number, 1, 2, "hold", "{}") for number in range(0, 10_000, 100)
    ]

    def stage():
        postbacks.stage(connection, newer, 2.0)

    assert_one_by_one(plans_of(connection, "postback", stage), len(newer))


def test_the_newest_of_ten_thousand_is_found_as_if_it_were_alone(connection):
    """Leads and clicks of one click id, and conversions of one lead."""
    connection.execute(text("SET LOCAL session_replication_role = replica"))  # no campaign needed
    many = range(10_000)
    lead = {"account_id": 1, "campaign_id": 1, "bot_id": 1, "state": 0, "updated": 1,
            "start_time": 1, "last_start_at": 1, "click": "fb"}  # fmt: skip
    connection.execute(table_of(Lead).insert(), [{**lead, "subscriber": n + 1} for n in many])
    click = {"account_id": 1, "campaign_id": 1, "source_id": 1, "created": 1, "external": "ad"}
    clicks = [{**click, "token": f"{n:016}", "lead_id": n or None} for n in many]
    connection.execute(table_of(Click).insert(), clicks)
    conversion = {"account_id": 1, "key_id": 1, "kind": "purchase", "time": 1, "created": 1.0}
    conversions = [{**conversion, "tid": str(n), "lead_id": 1, "reported": n} for n in many]
    connection.execute(table_of(Conversion).insert(), conversions)

    def find(word):
        params = {"account": 1, "click": word, "campaign": None}
        return lambda: connection.execute(people._BY_CLICK, params).scalar_one()

    def number():
        assert connection.execute(staging._NEWEST, {"lead": 1}).scalar_one() == many[-1]

    assert_bounded(plans_of(connection, "lead", find("fb")), 1)
    assert_bounded(plans_of(connection, "click", find("ad")), 1)
    assert_bounded(plans_of(connection, "conversion", number), 1)


def test_how_many_were_let_in_lately_is_told_without_all_before(connection, world):
    campaign = world.campaign()
    db.session.commit()
    request = {"account_id": world.account_id, "campaign_id": campaign, "bot_id": 1, "chat_id": 1,
               "asked": 1, "state": int(RequestState.APPROVED),
               "decided_by": int(DecidedBy.RULE)}  # fmt: skip
    rows = [{**request, "subscriber": n, "decided": float(n)} for n in range(10_000)]
    connection.execute(table_of(JoinRequest).insert(), rows)
    recent = measures._recent(world.account_id, None, 9_990 + measures.HOUR)

    def read():
        assert connection.scalar(recent) == 9

    assert_one_by_one(plans_of(connection, "join_request", read), 9)


def a_postback_of(connection: Connection, destinations: int) -> dict[str, Any]:
    """What is the same in all postbacks of so many new destinations, whose ids begin with 1."""
    connection.execute(text("SET LOCAL session_replication_role = replica"))  # no campaign needed
    account = Account(login="a", name="A", key_hash="a", created=1)
    db.session.add(account)
    db.session.flush()
    account_id = account.id
    db.session.commit()  # and nothing is asked of it then: an open transaction keeps entries alive
    way = {"account_id": account_id, "tracker": "t", "settings": "{}", "events": 31, "created": 1}
    connection.execute(table_of(Destination).insert(), [way] * destinations)
    return {
        "account_id": account_id, "campaign_id": 1, "sequence": 1, "kind": "wait", "event": "{}",
        "due": 1, "created": 1,
    }  # fmt: skip


@pytest.mark.parametrize("analyzed", [False, True])
def test_a_claim_does_not_meet_what_was_sent_before_the_one_before_it(connection, analyzed):
    """What was sent leaves dead entries in the index of what is being sent, until a vacuum."""
    row = a_postback_of(connection, 10)
    rows = [{**row, "lead_id": n, "destination_id": n % 10 + 1} for n in range(20_000)]
    sending = {"state": int(PostbackState.SENDING), "lease": "ours", "lease_until": 99.0}
    connection.execute(POSTBACKS.insert(), [{**given, **sending} for given in rows])
    connection.commit()
    if analyzed:
        connection.execute(text("ANALYZE postback"))
    connection.execute(text("SET LOCAL session_replication_role = replica"))
    sent = POSTBACKS.update().where(POSTBACKS.c.lead_id >= 100)
    connection.execute(sent.values(state=int(PostbackState.DELIVERED), lease=None))
    waiting = {"state": int(PostbackState.WAITING), "due": 1}
    connection.execute(
        POSTBACKS.insert(), [{**given, "sequence": 2, **waiting} for given in rows[:10]]
    )
    connection.commit()

    def claim():
        postbacks.claim(
            connection, now=9.0, lease="ours", until=99.0,
            after=0, quota_for=lambda _, most: min(1, most), most=10,
        )  # fmt: skip

    claim()
    connection.rollback()
    lock_queue(connection, AdvisoryLock.CLAIM_POSTBACKS)  # outside of the savepoint of `plans_of`
    nodes = plans_of(connection, "postback", claim)
    assert sum(node["Shared Hit Blocks"] + node["Shared Read Blocks"] for node in nodes) < 400


@pytest.mark.parametrize("waiting", [10, 20_000])
@pytest.mark.parametrize("analyzed", [False, True])
def test_whether_others_wait_is_asked_without_a_look_at_each_row(connection, waiting, analyzed):
    """Once for each destination: neither what was sent is met, nor all that waits."""
    row = a_postback_of(connection, 10)
    rows = [{**row, "lead_id": n, "destination_id": n % 10 + 1} for n in range(20_000)]
    if analyzed:
        connection.execute(text("ANALYZE postback"))
    connection.execute(POSTBACKS.insert(), rows)
    due = {"state": int(PostbackState.WAITING), "due": 1, "sequence": 2}
    connection.execute(POSTBACKS.insert(), [{**given, **due} for given in rows[:waiting]])
    connection.commit()
    owners = list(connection.scalars(select(table_of(Destination).c.account_id).distinct()))

    def ask():
        assert not postbacks.others_wait(connection, owners, 9.0)

    nodes = plans_of(connection, "postback", ask)
    assert sum(node["Shared Hit Blocks"] + node["Shared Read Blocks"] for node in nodes) < 400


@pytest.mark.parametrize("destinations", [100, 2_000])
def test_a_claim_looks_at_no_more_destinations_than_it_takes_from(connection, destinations):
    row = a_postback_of(connection, destinations) | {"state": int(PostbackState.WAITING)}
    ids = connection.scalars(select(table_of(Destination).c.id)).all()
    rows = [
        {**row, "destination_id": id_, "lead_id": id_ * 10 + n} for id_ in ids for n in range(5)
    ]
    connection.execute(POSTBACKS.insert(), rows)

    def claim():
        result = postbacks.claim(
            connection,
            now=9.0,
            lease="ours",
            until=99.0,
            after=0,
            quota_for=lambda _, most: min(2, most),
            most=128,
        )
        assert len(result.postbacks) == 128

    for table in ("postback", "destination", "account"):
        assert_bounded(plans_of(connection, table, claim), 128)


@pytest.mark.parametrize("analyzed", [False, True])
def test_what_ads_brought_is_read_from_no_more_clicks_than_it_counts(
    connection, monkeypatch, analyzed
):
    """Neither those of later days nor those of earlier ones are looked at."""
    monkeypatch.setattr(source_stats, "COUNTED", BATCH)
    day, days = 86_400, 80
    connection.execute(text("SET LOCAL session_replication_role = replica"))  # no campaign needed
    lead = {"account_id": 1, "campaign_id": 1, "bot_id": 1, "state": 0, "updated": 1,
            "start_time": 1, "last_start_at": 1, "click": ""}  # fmt: skip
    people = [{**lead, "id": n + 1, "subscriber": n + 1} for n in range(20_000)]
    connection.execute(table_of(Lead).insert(), people)
    connection.execute(
        text("""
            INSERT INTO click (lead_id, account_id, source_id, campaign_id, token, visitor,
                               created, external, referrer, ids, utm, subs, ad, flags)
            SELECT n % 20000 + 1, 1, n % 5, 1, lpad(CAST(n AS text), 16, '0'), '',
                   :day * (1000 + n / 500), '', '', '{}', '{}', '{}', '{}', 0
            FROM generate_series(0, :rows - 1) n
        """),
        {"day": day, "rows": 500 * days},
    )
    if analyzed:
        connection.execute(text("ANALYZE click"))
        connection.execute(text("ANALYZE lead"))
    for first, last, source in ((40, 40, None), (0, days, None), (40, 40, 3)):
        asked = Scope(account_id=1, now=0, source=source)

        def read(asked=asked, range_=(1000 + first, 1000 + last)):
            bounds = source_stats._id_bounds(connection.scalar, range_)
            rows = source_stats._by_text(asked, range_, "utm", *bounds)
            assert [row.seen for row in connection.execute(rows)] == [BATCH]

        assert_one_by_one(plans_of(connection, "click", read), BATCH)

    monkeypatch.setattr(source_stats, "COUNTED", 2_000)  # so many that a join reads all leads

    def read_many():
        rows = source_stats._by_text(Scope(account_id=1, now=0), (0, 2000), "utm", None, None)
        connection.execute(rows).all()

    for node in plans_of(connection, "lead", read_many):
        assert node["Node Type"] != "Seq Scan", node


@pytest.mark.parametrize("analyzed", [False, True])
@pytest.mark.parametrize("rows", [1_000, 40_000])
def test_the_journal_of_all_chats_is_read_and_counted_without_the_rest_of_it(
    connection, rows, analyzed
):
    """Of 20 chats of an account, beside as many of another one."""
    connection.execute(text("SET LOCAL session_replication_role = replica"))  # no triggers
    connection.execute(
        text("""
            INSERT INTO journal (account_id, bot_id, chat_id, campaign_id, subscriber, username,
                                 action, time, update_id, decision)
            SELECT n % 2 + 1, n % 4 + 1, n % 40, 1, n, '', 1, n * 60, n, ''
            FROM generate_series(1, :rows) n
        """),
        {"rows": rows},
    )
    tally = {"action": 1, "span": int(Span.HOUR), "number": 1}
    hours = [
        {**tally, "account_id": n % 2 + 1, "bot_id": n % 4 + 1, "chat_id": n % 40,
         "start": n // 40 * 3600}
        for n in range(rows)
    ]  # fmt: skip
    ever = [{**hour, "span": int(Span.TOTAL), "start": 0, "number": 5} for hour in hours[:40]]
    connection.execute(table_of(JournalTally).insert(), [*hours, *ever])
    if analyzed:
        connection.execute(text("ANALYZE journal"))
        connection.execute(text("ANALYZE journal_tally"))
    mine = RowQuery({"account_id": 1})
    newest = long_lists.newest_first(journal.ENTRIES, mine).limit(BATCH)
    behind = long_lists.newest_first(journal.ENTRIES, mine, (rows * 30, 1)).limit(BATCH)
    counted = long_lists._counted(journal.ENTRIES, mine)

    def read():
        assert len(connection.execute(newest).all()) == BATCH
        assert len(connection.execute(behind).all()) == BATCH

    def count():
        total = row_counts._sum(counted, (Span.TOTAL,), None, None)
        assert connection.scalar(select(total)) == 20 * 5

    assert_one_by_one(plans_of(connection, "journal", read), BATCH)
    assert_bounded(plans_of(connection, "journal_tally", count), 20)
