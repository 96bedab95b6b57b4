"""The two clocks of a lead, the update of a journal entry and quarantined updates get plain names."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

COLUMNS = (
    ("lead", "started_at", "last_start_at"),
    ("lead", "started_uid", "last_start_update_id"),
    ("lead", "member_at", "last_membership_at"),
    ("lead", "member_uid", "last_membership_update_id"),
    ("journal", "update_uid", "update_id"),
)
QUARANTINED = sa.text("state = 3")


def upgrade() -> None:
    for table, old, new in COLUMNS:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}")
    rename_index("ix_telegram_update_parked", "ix_telegram_update_quarantined")


def downgrade() -> None:
    rename_index("ix_telegram_update_quarantined", "ix_telegram_update_parked")
    for table, old, new in COLUMNS:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {new} TO {old}")


def rename_index(old: str, new: str) -> None:
    """SQLite renames no index; it makes one anew."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER INDEX {old} RENAME TO {new}")
        return
    op.drop_index(old, table_name="telegram_update")
    op.create_index(new, "telegram_update", ["id"], sqlite_where=QUARANTINED)
