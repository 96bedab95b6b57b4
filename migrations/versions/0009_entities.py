"""Messages carry entities of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A constant default rewrites no rows, and workers of the old release go on inserting.
    op.add_column("message", sa.Column("entities", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    # Text that waits has no marks any more: it is sent as it is, and not parsed again.
    op.drop_column("message", "entities")
