"""The objects that all of a process shares, unbound: `create_app` binds them.

Services keep a few caches of their own beside these, such as the group commit
of the inbox.
"""

from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

from app.crypto import cipher
from app.database.connections import ONLY_READS
from app.models.base import Base
from app.queues import WakeupSignal

db = SQLAlchemy(model_class=Base)
migrate = Migrate()
wakeup = WakeupSignal()


def begin_reading() -> None:
    """Let the session's transaction, which nothing was asked in, only read.

    SQLite has one writer, and a transaction that may write keeps all others away, Telegram's
    updates among them, for as long as it lasts. What such a transaction writes is not undone.
    """
    if db.engine.dialect.name == "sqlite":
        db.session.connection(execution_options={ONLY_READS: True})


__all__ = ["begin_reading", "cipher", "db", "migrate", "wakeup"]
