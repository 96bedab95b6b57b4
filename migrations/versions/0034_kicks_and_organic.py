"""Kicks are told from leaves, and joins without a lead are counted.

What was counted before cannot be told apart any more: those days stay without both, which NULL
says, and so does the day of the migration.
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

TABLES = ("campaign_day", "campaign_quarter")
COLUMNS = ("kicks", "organic")


def upgrade() -> None:
    for table in TABLES:
        for column in COLUMNS:
            op.add_column(table, sa.Column(column, sa.Integer(), nullable=True))


def downgrade() -> None:
    for table in TABLES:
        with op.batch_alter_table(table) as batch:
            for column in COLUMNS:
                batch.drop_column(column)
