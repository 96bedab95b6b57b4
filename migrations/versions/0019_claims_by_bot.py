"""Waiting updates are found bot by bot, and what was processed keeps no body."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

WAITING = sa.text("state = 0")


def upgrade() -> None:
    make_index("bot_id", "id")
    op.execute("UPDATE telegram_update SET body = CAST('' AS %s) WHERE state IN (1, 2)" % binary())


def downgrade() -> None:
    make_index("id")


def make_index(*columns: str) -> None:
    name = "ix_telegram_update_waiting"
    op.drop_index(name, table_name="telegram_update")
    op.create_index(
        name, "telegram_update", list(columns), sqlite_where=WAITING, postgresql_where=WAITING
    )


def binary() -> str:
    return "bytea" if op.get_bind().dialect.name == "postgresql" else "BLOB"
