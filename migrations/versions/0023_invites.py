"""Invite links, how a source makes and counts them, and the method by which a lead is known."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NEW_COLUMNS = {
    "lead": (
        ("how", sa.SmallInteger(), "0"),
        ("touched", BIG, "0"),
        ("also_seen", sa.String(256), ""),
    ),
    "bot": (("invites_slow_until", sa.Double(), "0"),),
    "bot_chat": (("username", sa.String(64), ""), ("named", sa.Double(), "0")),
    "source": (
        ("mode", sa.SmallInteger(), "1"),
        ("link_ttl", sa.Integer(), "86400"),
        ("lookback", sa.Integer(), "2592000"),
        ("fallback", sa.SmallInteger(), "1"),
    ),
    "source_day": (("fallbacks", sa.Integer(), "0"),),
}


def upgrade() -> None:
    op.create_table(
        "invite",
        sa.Column("id", BIG, nullable=False),
        sa.Column("bot_id", sa.BigInteger(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("source_id", sa.BigInteger()),
        sa.Column("link_key", sa.String(32)),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("made", BIG, nullable=False),
        sa.Column("expires", BIG),
        sa.Column("handed_out", BIG),
        sa.Column("token", sa.String(16)),
        sa.Column("used_by", sa.BigInteger()),
        sa.Column("used", BIG),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("due", sa.Double(), nullable=False),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_invite"),
    )
    op.create_index("uq_invite_link_key", "invite", ["link_key"], unique=True)
    op.create_index("ix_invite_source_id", "invite", ["source_id"])
    op.create_index("ix_invite_made", "invite", ["made"])
    for name, columns, where, unique in (
        ("ix_invite_pool", ["bot_id", "chat_id", "kind", "expires"], "state = 0", False),
        ("ix_invite_due", ["due"], "state = 3", False),
        ("uq_invite_named", ["source_id"], "kind = 3 AND state = 1", True),
        ("ix_invite_token", ["token"], "token IS NOT NULL", False),
        ("ix_invite_used_by", ["used_by"], "used_by IS NOT NULL", False),
    ):
        condition = sa.text(where)
        op.create_index(
            name,
            "invite",
            columns,
            unique=unique,
            sqlite_where=condition,
            postgresql_where=condition,
        )
    op.create_table(
        "join_day",
        sa.Column("campaign_id", BIG, nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("joins", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], "fk_join_day_campaign_id_campaign"
        ),
        sa.PrimaryKeyConstraint("campaign_id", "source_id", "day", "kind", name="pk_join_day"),
    )
    for table, columns in NEW_COLUMNS.items():
        for name, kind, default in columns:
            op.add_column(
                table, sa.Column(name, kind, nullable=False, server_default=default)
            )
    needs_links = sa.text("mode <> 1 AND status = 0")
    op.create_index(
        "ix_source_needs_links",
        "source",
        ["campaign_id"],
        sqlite_where=needs_links,
        postgresql_where=needs_links,
    )
    # What is known of a click so far came by a start.
    op.execute("UPDATE lead SET how = 1, touched = last_start_at WHERE click <> ''")


def downgrade() -> None:
    op.drop_index("ix_source_needs_links", "source")
    for table, columns in NEW_COLUMNS.items():
        for name, _, _ in columns:
            op.drop_column(table, name)
    op.drop_table("join_day")
    op.drop_table("invite")
