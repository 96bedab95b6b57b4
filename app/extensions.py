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
    """Say that the session's transaction, which nothing was asked in, only reads.

    SQLite has one writer, and whoever writes keeps all others away, Telegram's updates among
    them. So the tests refuse a write here.
    """
    if db.engine.dialect.name == "sqlite":
        db.session.connection(execution_options={ONLY_READS: True})


__all__ = ["begin_reading", "cipher", "db", "migrate", "wakeup"]
