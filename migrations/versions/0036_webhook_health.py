"""What Telegram tells of a bot's webhook is kept: how many updates wait there, and its last error."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
COLUMNS = (
    ("webhook_pending", sa.Integer(), "0"),
    ("webhook_error", sa.String(200), ""),
    ("webhook_error_time", BIG, "0"),
)


def upgrade() -> None:
    for name, kind, default in COLUMNS:
        op.add_column("bot", sa.Column(name, kind, nullable=False, server_default=default))


def downgrade() -> None:
    # One by one: a batch makes the table anew on SQLite, and cannot where rows name its rows.
    for name, _, _ in COLUMNS:
        op.drop_column("bot", name)
