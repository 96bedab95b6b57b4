"""Accounts get a zone; sessions know their browser, and those that a key opened have no login."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "account", sa.Column("zone", sa.String(64), nullable=False, server_default="UTC")
    )
    with op.batch_alter_table("session") as table:
        table.alter_column("login_id", existing_type=sa.BigInteger(), nullable=True)
        table.add_column(sa.Column("agent", sa.String(300), nullable=False, server_default=""))
        table.add_column(sa.Column("used", sa.Double()))
        table.add_column(
            sa.Column("by_key", sa.Boolean(), nullable=False, server_default=sa.false())
        )


def downgrade() -> None:
    op.execute("DELETE FROM session WHERE login_id IS NULL")
    with op.batch_alter_table("session") as table:
        table.drop_column("by_key")
        table.drop_column("used")
        table.drop_column("agent")
        table.alter_column("login_id", existing_type=sa.BigInteger(), nullable=False)
    op.drop_column("account", "zone")
