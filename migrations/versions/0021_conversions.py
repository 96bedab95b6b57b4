"""Conversions that others tell us of, the keys by which they do, and their sums by day."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
HAS_CLICK = sa.text("click <> ''")


def upgrade() -> None:
    op.create_table(
        "event_key",
        sa.Column("id", BIG, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("campaign_id", BIG),
        sa.Column("title", sa.String(64), nullable=False),
        sa.Column("key_hash", sa.String(64), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("secret", sa.Text()),
        sa.Column("addresses", sa.Text(), nullable=False),
        sa.Column("created", BIG, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], "fk_event_key_account_id_account"),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], "fk_event_key_campaign_id_campaign"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_event_key"),
    )
    op.create_index("uq_event_key_key_hash", "event_key", ["key_hash"], unique=True)
    op.create_index("ix_event_key_account_id", "event_key", ["account_id"])
    op.create_index("ix_event_key_campaign_id", "event_key", ["campaign_id"])
    op.create_table(
        "conversion",
        sa.Column("id", BIG, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("key_id", sa.BigInteger(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger()),
        sa.Column("lead_id", sa.BigInteger()),
        sa.Column("click", sa.String(256), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("value_micro", sa.BigInteger()),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("tid", sa.String(128), nullable=False),
        sa.Column("note", sa.String(256), nullable=False),
        sa.Column("time", BIG, nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("reported", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_conversion"),
    )
    key = ["account_id", "key_id", "kind", "tid"]
    op.create_index("uq_conversion_tid", "conversion", key, unique=True)
    op.create_index("ix_conversion_account_id", "conversion", ["account_id", "id"])
    for name, column, where in (
        ("ix_conversion_lead_id", "lead_id", sa.text("lead_id IS NOT NULL")),
        ("ix_conversion_cold", "id", sa.text("lead_id IS NULL")),
    ):
        op.create_index(name, "conversion", [column], sqlite_where=where, postgresql_where=where)
    op.create_table(
        "conversion_day",
        sa.Column("campaign_id", BIG, nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("value_micro", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], "fk_conversion_day_campaign_id_campaign"
        ),
        sa.PrimaryKeyConstraint("campaign_id", "day", "kind", "currency", name="pk_conversion_day"),
    )
    op.create_index(
        "ix_lead_click",
        "lead",
        ["account_id", "click"],
        sqlite_where=HAS_CLICK,
        postgresql_where=HAS_CLICK,
    )


def downgrade() -> None:
    op.drop_index("ix_lead_click", "lead")
    op.drop_table("conversion_day")
    op.drop_table("conversion")
    op.drop_table("event_key")
