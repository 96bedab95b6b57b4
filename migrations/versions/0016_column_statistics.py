"""Columns by which PostgreSQL must not search look as if they had few values."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

COLUMNS = (("lead", "campaign_id"), ("postback", "destination_id"))


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table, column in COLUMNS:
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET (n_distinct = 20)")
            op.execute(f"ANALYZE {table} ({column})")  # from then on it is believed


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table, column in COLUMNS:
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} RESET (n_distinct)")
            op.execute(f"ANALYZE {table} ({column})")
