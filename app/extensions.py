"""Extensions, unbound: `create_app` binds them. Nothing else is global."""

from __future__ import annotations

from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

from app.crypto import cipher
from app.models.base import Base
from app.queues import Doorbell

db = SQLAlchemy(model_class=Base)
migrate = Migrate()
doorbell = Doorbell()

__all__ = ["cipher", "db", "doorbell", "migrate"]
