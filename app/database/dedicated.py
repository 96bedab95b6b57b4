"""A connection of the driver that its owner keeps for itself, and that is opened again if it dies.

For statements so frequent that a pool's and SQLAlchemy's part of their price counts. Nobody
else can take it, so its owner never waits for the connections of others.
"""

import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from sqlalchemy import Engine, PoolProxiedConnection

from app.database.connections import READ_ONLY_STATE, ask_if_doubtful

Result = TypeVar("Result")


class DedicatedConnection:
    """One connection in autocommit out of `engine`, for any thread, one after the other."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: PoolProxiedConnection | None = None
        self._used = 0.0
        self._lock = threading.Lock()

    def run(self, work: Callable[[Any], Result]) -> Result:
        """Return what `work` returns for the driver's connection.

        If the connection dies under it, `work` is done once more with a new one, so it must
        do no harm when it is done twice. Raises what `work` raised, or what opening raises.
        """
        with self._lock:
            self._close_if_dead()
            is_new = self._connection is None
            try:
                return work(self._open())
            except psycopg.Error as error:
                if not self._is_lost(error):
                    raise
                self._close()
                if is_new:
                    raise
            return work(self._open())

    def close(self) -> None:
        """Close the connection; the next `run` opens another."""
        with self._lock:
            self._close()

    def _open(self) -> Any:
        if self._connection is None:
            connection = self._engine.raw_connection()
            if isinstance(connection.driver_connection, psycopg.Connection):
                connection.driver_connection.autocommit = True
            self._connection = connection
        self._used = time.monotonic()
        return self._connection.driver_connection

    def _close_if_dead(self) -> None:
        driver = self._connection.driver_connection if self._connection else None
        if driver is None or isinstance(driver, sqlite3.Connection):
            return
        try:
            ask_if_doubtful(driver, time.monotonic() - self._used)
        except psycopg.Error:
            self._close()

    def _is_lost(self, error: psycopg.Error) -> bool:
        """Whether it is the connection's fault: it is closed, or its server takes no writes."""
        driver: Any = self._connection.driver_connection if self._connection else None
        return error.sqlstate == READ_ONLY_STATE or driver is None or driver.closed

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
