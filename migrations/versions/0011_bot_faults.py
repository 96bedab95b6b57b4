"""Bots have faults, each told once and told when it is over."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

LIVING = sa.text("status <> 3")


def upgrade() -> None:
    # Constant defaults rewrite no rows, and workers of the old release go on inserting.
    op.add_column("bot", sa.Column("checked", sa.Double(), nullable=False, server_default="0"))
    op.add_column(
        "bot_chat", sa.Column("can_invite", sa.Boolean(), nullable=False, server_default=sa.true())
    )
    op.add_column(
        "bot_chat", sa.Column("checked", sa.Double(), nullable=False, server_default="0")
    )
    op.create_index(
        "ix_bot_checked_living",
        "bot",
        ["checked"],
        sqlite_where=LIVING,
        postgresql_where=LIVING,
    )
    op.create_table(
        "bot_fault",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("bot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("seen", sa.Double(), nullable=False),
        sa.Column("repairs", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["bot_id"], ["bot.id"], name="fk_bot_fault_bot_id_bot"),
        sa.PrimaryKeyConstraint("id", name="pk_bot_fault"),
        sa.UniqueConstraint("bot_id", "kind", "chat_id", name="uq_bot_fault_bot_id_kind_chat_id"),
    )
    # What was told before stays told: bots that were paused, and tracked chats that were lost.
    for kind, chats in (("token", TOKENS), ("rights", RIGHTS)):
        op.execute(FAULTS.format(kind=kind, chats=chats))
    op.execute(STATUSES)


def downgrade() -> None:
    op.execute("DELETE FROM notice WHERE kind IN ('webhook', 'polling', 'invite', 'over')")
    op.drop_table("bot_fault")
    op.drop_index("ix_bot_checked_living", table_name="bot")
    op.drop_column("bot_chat", "checked")
    op.drop_column("bot_chat", "can_invite")
    op.drop_column("bot", "checked")


FAULTS = """
    INSERT INTO bot_fault (bot_id, kind, chat_id, title, since, seen, repairs)
    SELECT bot_id, '{kind}', chat_id, title, 0, 0, 0 FROM ({chats}) lost
"""
TOKENS = """
    SELECT id AS bot_id, 0 AS chat_id, '' AS title FROM bot WHERE status <> 3 AND paused <> ''
"""
RIGHTS = """
    SELECT c.bot_id, c.chat_id, c.chat_title AS title FROM campaign c
    JOIN bot b ON b.id = c.bot_id AND b.status <> 3
    JOIN bot_chat t ON t.bot_id = c.bot_id AND t.chat_id = c.chat_id
    WHERE c.status <> 2 AND NOT t.is_admin
"""
#: Chats that no campaign tracks need no attention any more.
STATUSES = """
    UPDATE bot SET status = 0 WHERE status = 1
    AND NOT EXISTS (SELECT 1 FROM bot_fault f WHERE f.bot_id = bot.id)
"""
