"""A key for events remembers the login that made it, and the key before it, for an undo."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

COLUMNS = (
    ("login_id", sa.BigInteger()),
    ("earlier_hash", sa.String(64)),
    ("earlier_secret", sa.Text()),
    ("earlier_login_id", sa.BigInteger()),
)


def upgrade() -> None:
    for name, kind in COLUMNS:
        op.add_column("event_key", sa.Column(name, kind))


def downgrade() -> None:
    # One by one: a batch makes the table anew on SQLite, and cannot where rows name its rows.
    for name, _ in COLUMNS:
        op.drop_column("event_key", name)
