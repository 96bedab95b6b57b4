"""A key knows the login that made it, and what it replaced can be restored."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("login", sa.Column("undone", sa.Double(), nullable=True))
    op.add_column("account", sa.Column("key_login_id", sa.BigInteger(), nullable=True))
    op.create_table(
        "replaced_key",
        sa.Column("id", BIG, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("login_id", sa.BigInteger(), nullable=True),
        sa.Column("replaced", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_replaced_key_account_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_replaced_key")),
    )
    op.create_index("ix_replaced_key_account_id_id", "replaced_key", ["account_id", "id"])
    op.create_index("ix_replaced_key_replaced", "replaced_key", ["replaced"])


def downgrade() -> None:
    op.drop_table("replaced_key")
    op.drop_column("account", "key_login_id")
    op.drop_column("login", "undone")
