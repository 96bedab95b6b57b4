"""Sources, their clicks, and the click that a lead came from."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "source",
        sa.Column("id", BIG, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("campaign_id", BIG, nullable=False),
        sa.Column("code", sa.String(8), nullable=False),
        sa.Column("title", sa.String(64), nullable=False),
        sa.Column("click_param", sa.String(64), nullable=False),
        sa.Column("sub_map", sa.Text(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("created", BIG, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], "fk_source_account_id_account"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], "fk_source_campaign_id_campaign"),
        sa.PrimaryKeyConstraint("id", name="pk_source"),
    )
    op.create_index("uq_source_code", "source", ["code"], unique=True)
    op.create_index("ix_source_account_id", "source", ["account_id"])
    op.create_index("ix_source_campaign_id", "source", ["campaign_id"])
    op.create_table(
        "source_day",
        sa.Column("source_id", BIG, nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("clicks", sa.Integer(), nullable=False),
        sa.Column("repeats", sa.Integer(), nullable=False),
        sa.Column("previews", sa.Integer(), nullable=False),
        sa.Column("paused", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], "fk_source_day_source_id_source"),
        sa.PrimaryKeyConstraint("source_id", "day", name="pk_source_day"),
    )
    op.create_table(
        "click",
        sa.Column("id", BIG, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("token", sa.String(16), nullable=False),
        sa.Column("visitor", sa.String(22), nullable=False),
        sa.Column("created", BIG, nullable=False),
        sa.Column("external", sa.String(256), nullable=False),
        sa.Column("referrer", sa.String(512), nullable=False),
        sa.Column("ids", sa.Text(), nullable=False),
        sa.Column("utm", sa.Text(), nullable=False),
        sa.Column("subs", sa.Text(), nullable=False),
        sa.Column("ad", sa.Text(), nullable=False),
        sa.Column("flags", sa.SmallInteger(), nullable=False),
        sa.Column("lead_id", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_click"),
    )
    op.create_index("uq_click_token", "click", ["token"], unique=True)
    op.create_index("ix_click_account_id", "click", ["account_id", "id"])
    op.create_index("ix_click_source_id", "click", ["source_id", "id"])
    op.create_index("ix_click_created", "click", ["created"])
    op.create_index("ix_click_external", "click", ["account_id", "external"])
    for name, columns, where in (
        ("ix_click_visitor", ["visitor", "source_id", "created"], sa.text("visitor <> ''")),
        ("ix_click_lead_id", ["lead_id"], sa.text("lead_id IS NOT NULL")),
    ):
        op.create_index(name, "click", columns, sqlite_where=where, postgresql_where=where)
    op.add_column("lead", sa.Column("source_id", sa.BigInteger()))
    op.add_column("lead", sa.Column("click_id", sa.BigInteger()))


def downgrade() -> None:
    op.drop_column("lead", "click_id")
    op.drop_column("lead", "source_id")
    op.drop_table("click")
    op.drop_table("source_day")
    op.drop_table("source")
