"""Idempotency keys of events/*, and an index of conversions by campaign."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "idempotency_key",
        sa.Column("id", BIG, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("key_hash", sa.String(64), nullable=False),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_idempotency_key"),
    )
    key = ["account_id", "key_hash"]
    op.create_index("uq_idempotency_key_key_hash", "idempotency_key", key, unique=True)
    op.create_index("ix_idempotency_key_created", "idempotency_key", ["created"])
    op.create_index("ix_conversion_campaign_id", "conversion", ["campaign_id", "id"])


def downgrade() -> None:
    op.drop_index("ix_conversion_campaign_id", "conversion")
    op.drop_table("idempotency_key")
