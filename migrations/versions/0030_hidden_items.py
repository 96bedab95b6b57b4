"""What an account does not want to see among what needs attention."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "hidden_item",
        sa.Column("id", BIG, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("item", sa.String(64), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_hidden_item"),
    )
    key = ["account_id", "item"]
    op.create_index("uq_hidden_item_account_id_item", "hidden_item", key, unique=True)


def downgrade() -> None:
    op.drop_table("hidden_item")
