"""The migrations lead to the models, on both databases, and back."""

import threading
import time
from dataclasses import replace

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect, text

from app import create_app
from app.config import Settings
from app.extensions import db
from app.models import Lead, LeadTally, Postback, PostbackTally, table_of
from app.services.lists import row_counts
from app.services.lists.row_counts import CountQuery


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_app(request, new_database):
    """An application whose database has no tables yet."""
    app = create_app(
        Settings.from_environment(
            {
                "DATABASE_URL": new_database(request.param).url,
                "REDIS_URL": "redis://127.0.0.1:1",
                "SECRET_KEY": "a secret for empty tables",
            }
        )
    )
    with app.app_context():
        yield app
        db.engine.dispose()


def differences() -> list[object]:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, db.metadata))


def indexes() -> set[tuple[str, str, bool]]:
    """Partial and unique indexes too, which alembic does not compare on SQLite."""
    found = inspect(db.engine)
    return {
        (table, str(index["name"]), bool(index["unique"]))
        for table in db.metadata.tables
        for index in found.get_indexes(table)
    }


def triggers() -> set[tuple[str, str]]:
    """By name, what each trigger says; on PostgreSQL also what its function says."""
    with db.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            told = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        else:
            told = (
                "SELECT tgname, pg_get_triggerdef(pg_trigger.oid) || prosrc FROM pg_trigger "
                "JOIN pg_proc ON tgfoid = pg_proc.oid WHERE NOT tgisinternal"
            )
        return {(name, " ".join(said.split())) for name, said in connection.exec_driver_sql(told)}


def column_options() -> set[tuple[str, str, str]]:
    """What PostgreSQL is told to believe of a column."""
    if db.engine.dialect.name == "sqlite":
        return set()
    told = (
        "SELECT attrelid::regclass::text, attname, attoptions::text FROM pg_attribute"
        " WHERE attoptions IS NOT NULL"
    )
    with db.engine.connect() as connection:
        return {tuple(row) for row in connection.exec_driver_sql(told)}


def test_upgrade_makes_what_the_models_say(empty_app):
    upgrade(directory="migrations")
    assert differences() == []
    migrated = indexes(), triggers(), column_options()
    assert len(triggers()) == 9
    downgrade(directory="migrations", revision="base")
    assert triggers() == set()
    db.metadata.create_all(db.engine)
    assert migrated == (indexes(), triggers(), column_options())


def test_upgrade_twice_is_upgrade_once_and_downgrade_leaves_nothing(empty_app):
    upgrade(directory="migrations")
    upgrade(directory="migrations")
    downgrade(directory="migrations", revision="base")
    assert set(inspect(db.engine).get_table_names()) <= {"alembic_version"}


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("SELECT id FROM lead", "UPDATE lead SET state = 1"),
        ("UPDATE bot SET poll_offset = 0", "SELECT id FROM lead"),
    ],
)
def test_workers_go_on_while_tables_change(empty_app, first, then):
    if db.engine.dialect.name == "sqlite":
        return  # its writers wait for each other from the beginning
    upgrade(directory="migrations", revision="0004")
    with db.engine.begin() as connection:
        for statement in OWNER:
            connection.execute(text(statement))
        terms = {"id": 1, "account": 1, "state": 2, "time": 1_780_000_000}
        connection.execute(text(LEAD), terms)
    faults: list[Exception] = []

    def migrate() -> None:
        try:
            with empty_app.app_context():
                upgrade(directory="migrations")
        except Exception as fault:  # noqa: BLE001 - carried over to the test
            faults.append(fault)

    release = threading.Thread(target=migrate)
    with db.engine.connect() as worker, db.engine.connect() as observer:
        worker.execute(text(first))
        release.start()
        waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        while release.is_alive() and not observer.scalar(waits):
            observer.rollback()
            time.sleep(0.05)
        observer.rollback()
        worker.execute(text(then))
        worker.commit()
        release.join()
    assert faults == []


OWNER = [
    """INSERT INTO account (id, login, name, lang, status, key_hash, tariff, notify_tariff,
                            notify_leads, created)
       VALUES (1, 'one', 'One', 'en', 0, '', 'cat', true, true, 0)""",
    """INSERT INTO bot (id, account_id, tg_id, username, name, token, status, paused,
                        webhook_path, webhook_url, poll_offset, poll_token, poll_until,
                        quiet_until, next_send, created)
       VALUES (1, 1, 1, 'one_bot', 'One', '', 0, '', 'path', '', 0, '', 0, 0, 0, 0)""",
    """INSERT INTO campaign (id, account_id, bot_id, chat_id, chat_title, code, status, welcome,
                             welcome_fault, media, button_text, button_url, unsub_window,
                             notify_level, created)
       VALUES (1, 1, 1, -1, 'One', 'one', 0, '', '', '', '', '', 0, 0, 0)""",
]
LEAD = """
    INSERT INTO lead (id, account_id, campaign_id, bot_id, subscriber, username, first_name,
                      last_name, language, premium, click, state, start_time, updated,
                      started_at, started_uid, member_at, member_uid, held, reports)
    VALUES (:id, :account, 1, 1, :id, '', '', '', '', false, '', :state, :time, :time, :time,
            0, 0, 0, false, 0)
"""
POSTBACK = """
    INSERT INTO postback (id, account_id, campaign_id, lead_id, destination_id, sequence, kind,
                          event, state, reason, occurrence, tries, steps, due, created)
    VALUES (:id, :account, 1, :id, 1, 1, 'wait', '{}', :state, '', 0, 0, 0, :time, :time + 0.5)
"""


def test_rows_that_were_there_before_the_tallies_are_counted(empty_app):
    upgrade(directory="migrations", revision="0004")
    noon = 1_780_000_000 // 86_400 * 86_400 + 43_200
    with db.engine.begin() as connection:
        for statement in OWNER:
            connection.execute(text(statement))
        for number, (account, state, time) in enumerate(
            [(1, 2, noon), (1, 2, noon + 3599), (1, 0, noon + 3600), (1, 2, noon - 86_400),
             (2, 2, noon)], 1,
        ):  # fmt: skip
            terms = {"id": number, "account": account, "state": state, "time": time}
            connection.execute(text(LEAD), terms)
            connection.execute(text(POSTBACK), terms)
    upgrade(directory="migrations")
    with db.engine.begin() as connection:
        connection.execute(text("DELETE FROM lead WHERE id = 4"))
    counted = CountQuery(table_of(Lead), table_of(LeadTally), "start_time", {"account_id": 1})
    assert row_counts.total(counted, None, None) == 3
    assert row_counts.total(counted, noon - 86_400, noon) == 0
    assert (
        row_counts.total(replace(counted, filters={"account_id": 1, "state": 2}), noon, None) == 2
    )
    sent = CountQuery(table_of(Postback), table_of(PostbackTally), "created", {"account_id": 1})
    assert [bucket.number for bucket in row_counts.buckets(sent, None, None)] == [3, 1]
    assert [bucket.number for bucket in row_counts.hours(sent, noon, noon + 7200)] == [1, 2]
    db.session.remove()
    downgrade(directory="migrations", revision="0004")
    with db.engine.begin() as connection:
        connection.execute(text("DELETE FROM lead"))
        assert connection.scalar(text("SELECT count(*) FROM postback")) == 5
    upgrade(directory="migrations")
    assert row_counts.total(counted, None, None) == 0
    assert row_counts.total(sent, None, None) == 4
    db.session.remove()


def test_an_index_whose_build_was_cut_off_is_built_anew(empty_app):
    if db.engine.dialect.name == "sqlite":
        return  # it builds none beside its writers
    upgrade(directory="migrations", revision="0031")
    name = "ix_journal_account_id_time"
    valid = text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")
    with db.engine.begin() as connection:
        connection.execute(text(f"CREATE INDEX {name} ON journal (id)"))
        broken = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass(:name)"
        connection.execute(text(broken), {"name": name})
    upgrade(directory="migrations")
    with db.engine.begin() as connection:
        assert connection.scalar(valid, {"name": name})
    assert differences() == []
    db.session.remove()


def test_messages_that_wait_keep_their_text_over_entities(empty_app):
    upgrade(directory="migrations", revision="0008")
    columns = "id, account_id, bot_id, chat_id, campaign_id, lead_id, text, parse_mode, markup"
    old = text(f"""
        INSERT INTO message ({columns}, state, reason, tries, due, created)
        VALUES (1, 1, 1, 1, 1, 1, '*hi*', 'Markdown', '', 0, '', 0, 0, 0)
    """)  # noqa: S608 - of our own constants
    with db.engine.begin() as connection:
        connection.execute(old)
    db.session.remove()
    upgrade(directory="migrations")
    read = text("SELECT text, parse_mode FROM message")
    with db.engine.begin() as connection:
        assert connection.scalar(text("SELECT entities FROM message")) == ""
        assert connection.execute(read).all() == [("*hi*", "Markdown")]
    db.session.remove()
    downgrade(directory="migrations", revision="0008")
    with db.engine.begin() as connection:
        assert connection.execute(read).all() == [("*hi*", "Markdown")]
    db.session.remove()


def test_what_was_wrong_with_bots_stays_wrong_and_untracked_chats_need_no_attention(empty_app):
    upgrade(directory="migrations", revision="0010")
    fields = "account_id, username, name, token, webhook_url, poll_offset, poll_token, poll_until"
    bot = f"""
        INSERT INTO bot ({fields}, quiet_until, next_send, created, id, tg_id, status, paused,
                         webhook_path)
        VALUES (1, 'x', 'X', '', '', 0, '', 0, 0, 0, 0, :id, :id, :status, :paused, :paused)
    """  # noqa: S608 - of our own constants
    chat = text("""
        INSERT INTO bot_chat (bot_id, chat_id, title, type, is_admin, changed)
        VALUES (:bot, :chat, 'One', 'channel', :admin, 0)
    """)
    with db.engine.begin() as connection:
        for statement in OWNER:
            connection.execute(text(statement))
        for id_, status, paused in ((2, 1, "refused"), (3, 1, ""), (4, 3, "old")):
            terms = {"id": id_, "status": status, "paused": paused}
            connection.execute(text(bot), terms)
        for bot_id, chat_id in ((1, -1), (3, -3)):  # the second is tracked by nobody
            connection.execute(chat, {"bot": bot_id, "chat": chat_id, "admin": False})
        connection.execute(text("UPDATE bot SET status = 1 WHERE id = 1"))
    db.session.remove()
    upgrade(directory="migrations")
    with db.engine.begin() as connection:
        faults = text("SELECT bot_id, kind, chat_id, title FROM bot_fault ORDER BY bot_id")
        assert connection.execute(faults).all() == [(1, "rights", -1, "One"), (2, "token", 0, "")]
        statuses = connection.execute(text("SELECT id, status FROM bot ORDER BY id")).all()
        assert statuses == [(1, 1), (2, 1), (3, 0), (4, 3)]
    db.session.remove()
    downgrade(directory="migrations", revision="0010")
    with db.engine.begin() as connection:
        assert connection.scalar(text("SELECT count(*) FROM bot_chat")) == 2
    db.session.remove()


def test_logins_and_sessions_outlive_the_question_whether_to_log_in(empty_app):
    upgrade(directory="migrations", revision="0011")
    kept = "SELECT id, nonce_hash, account_id, expires, used FROM login ORDER BY id"
    with db.engine.begin() as connection:
        connection.execute(text(OWNER[0]))
        connection.execute(text("INSERT INTO login VALUES (7, 'used', 1, 9.5, 3.5)"))
        before = connection.execute(text(kept)).all()
    upgrade(directory="migrations", revision="0012")
    with db.engine.begin() as connection:
        assert connection.execute(text(kept)).all() == before
        page = "INSERT INTO login (nonce_hash, expires, shown) VALUES ('page', 9.5, 1.5)"
        if connection.dialect.name == "postgresql":
            page = page.replace("(nonce_hash", "(id, nonce_hash").replace("('page'", "(8, 'page'")
        connection.execute(text(page))
    downgrade(directory="migrations", revision="0011")
    with db.engine.begin() as connection:
        assert connection.execute(text(kept)).all() == before


def test_what_adapters_keep_for_their_next_request_survives_its_new_name(empty_app):
    upgrade(directory="migrations", revision="0016")
    with db.engine.begin() as connection:
        terms = {"id": 1, "account": 1, "state": 0, "time": 1_780_000_000}
        connection.execute(text(POSTBACK), terms)
        connection.execute(text("""UPDATE postback SET carried = '{"id": "5f"}'"""))
    db.session.remove()
    for migrate, revision, name in (
        (upgrade, "0017", "adapter_state"),
        (downgrade, "0016", "carried"),
    ):
        migrate(directory="migrations", revision=revision)
        with db.engine.begin() as connection:
            kept = connection.scalar(text(f"SELECT {name} FROM postback"))  # noqa: S608
        assert kept == '{"id": "5f"}'
        db.session.remove()


def test_keys_that_a_login_has_replaced_are_kept_over_their_new_table_and_back(empty_app):
    upgrade(directory="migrations", revision="0037")
    add = text("""
        INSERT INTO event_key (id, account_id, title, key_hash, currency, addresses, created,
                               login_id, earlier_hash, earlier_secret, earlier_login_id)
        VALUES (:id, 1, 'CRM', :key, '', '[]', 0, :login, :hash, :secret, :earlier)
    """)
    before = {"id": 1, "key": "b", "login": 7, "hash": "a", "secret": "sealed", "earlier": None}
    nothing = {"id": 2, "key": "c", "login": None, "hash": None, "secret": None, "earlier": None}
    read = text("SELECT earlier_hash, earlier_secret, earlier_login_id FROM event_key ORDER BY id")
    with db.engine.begin() as connection:
        connection.execute(text(OWNER[0]))
        connection.execute(add, before)
        connection.execute(add, nothing)
    upgrade(directory="migrations")
    kept = text("SELECT event_key_id, key_hash, secret, login_id FROM replaced_event_key")
    newer = text("""
        INSERT INTO replaced_event_key (event_key_id, key_hash, secret, login_id, replaced)
        VALUES (1, 'b', 'newer', 7, 1)
    """)
    with db.engine.begin() as connection:
        assert connection.execute(kept).all() == [(1, "a", "sealed", None)]
        connection.execute(newer)
    db.session.remove()
    downgrade(directory="migrations", revision="0037")
    with db.engine.begin() as connection:
        assert connection.execute(read).all() == [("b", "newer", 7), (None, None, None)]
    db.session.remove()
