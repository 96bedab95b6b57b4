"""A connection that its owner keeps is opened again when it has died, and not for other faults."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import create_engine, event

from app.database.connections import prepare_engine
from app.database.dedicated import DedicatedConnection
from app.extensions import db


@pytest.fixture
def opened() -> list[Any]:
    """The connections that were opened."""
    return []


@pytest.fixture
def connection(live_app, opened) -> Iterator[DedicatedConnection]:
    url = live_app.config["SETTINGS"].database_url
    engine = create_engine(url, **prepare_engine(url))
    event.listen(engine, "connect", lambda made, _record: opened.append(made))
    dedicated = DedicatedConnection(engine)
    yield dedicated
    dedicated.close()
    engine.dispose()


def select_one(connection: Any) -> int:
    return int(connection.execute("SELECT 1").fetchone()[0])


def need_postgresql() -> None:
    if db.engine.dialect.name == "sqlite":
        pytest.skip("a file does not hang up")


def kill(connection: Any) -> None:
    url = db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as killer:
        killer.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.pgconn.backend_pid])


def test_it_is_opened_once_and_used_again(connection, opened):
    assert [connection.run(select_one) for _ in range(3)] == [1, 1, 1]
    assert len(opened) == 1


def test_it_commits_by_itself(connection):
    need_postgresql()
    assert connection.run(lambda driver: driver.autocommit) is True


def test_one_that_died_at_rest_is_replaced_before_anything_is_asked(connection, opened):
    need_postgresql()
    connection.run(select_one)
    kill(opened[0])
    assert connection.run(select_one) == 1
    assert len(opened) == 2


def test_one_that_dies_under_the_work_is_replaced_and_the_work_done_again(connection, opened):
    need_postgresql()
    connection.run(select_one)
    done = []

    def die_once(driver: Any) -> int:
        done.append(driver)
        if len(done) == 1:
            kill(driver)
        return select_one(driver)

    assert connection.run(die_once) == 1
    assert done == opened


def test_one_that_dies_at_each_try_raises_after_the_second(connection, opened):
    need_postgresql()
    connection.run(select_one)

    def die(driver: Any) -> int:
        kill(driver)
        return select_one(driver)

    with pytest.raises(psycopg.OperationalError):
        connection.run(die)
    assert len(opened) == 2
    assert connection.run(select_one) == 1


def test_a_fault_of_the_statement_is_raised_and_the_connection_kept(connection, opened):
    with pytest.raises(Exception, match="nowhere"):
        connection.run(lambda driver: driver.execute("SELECT * FROM nowhere"))
    assert connection.run(select_one) == 1
    assert len(opened) == 1


def test_a_server_that_became_read_only_is_left(connection, opened):
    """The address may lead to the new primary by now."""
    need_postgresql()
    connection.run(lambda driver: driver.execute("SET default_transaction_read_only = on"))
    connection.run(lambda driver: driver.execute("CREATE TABLE written (id int)"))
    connection.run(lambda driver: driver.execute("DROP TABLE written"))
    assert len(opened) == 2
