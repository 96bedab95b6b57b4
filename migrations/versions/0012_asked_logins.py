"""A login knows the page that shows it, and whether the person has agreed."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def columns() -> list[sa.Column]:
    return [
        sa.Column("shown", sa.Double(), nullable=True),
        sa.Column("address", sa.String(length=45), server_default="", nullable=False),
        sa.Column("agent", sa.String(length=300), server_default="", nullable=False),
        sa.Column("cookie_hash", sa.String(length=64), server_default="", nullable=False),
        sa.Column("cookie_seen", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("agreed", sa.Double(), nullable=True),
    ]


def upgrade() -> None:
    with op.batch_alter_table("login", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.alter_column("account_id", existing_type=BIG, nullable=True)
        for column in columns():
            table.add_column(column)


def downgrade() -> None:
    # The version before knows no page without a person, and takes every row for a granted login.
    op.execute("DELETE FROM login WHERE account_id IS NULL OR (agreed IS NULL AND used IS NULL)")
    with op.batch_alter_table("login") as table:
        for column in columns():
            table.drop_column(column.name)
        table.alter_column("account_id", existing_type=BIG, nullable=False)
