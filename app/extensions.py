"""The objects that all of a process shares, unbound: `create_app` binds them.

Services keep a few caches of their own beside these, such as the group commit
of the inbox.
"""

from __future__ import annotations

from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

from app.crypto import cipher
from app.models.base import Base
from app.queues import WakeupSignal

db = SQLAlchemy(model_class=Base)
migrate = Migrate()
wakeup = WakeupSignal()

__all__ = ["cipher", "db", "migrate", "wakeup"]
