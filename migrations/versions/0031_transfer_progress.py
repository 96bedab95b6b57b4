"""The history of a transfer follows a part at a time."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

MOVING = sa.text("progress <> ''")


def upgrade() -> None:
    with op.batch_alter_table("transfer") as table:
        table.add_column(sa.Column("progress", sa.Text(), nullable=False, server_default=""))
    op.create_index(
        "ix_transfer_moving", "transfer", ["id"], sqlite_where=MOVING, postgresql_where=MOVING
    )


def downgrade() -> None:
    op.drop_index("ix_transfer_moving", "transfer")
    with op.batch_alter_table("transfer") as table:
        table.drop_column("progress")
