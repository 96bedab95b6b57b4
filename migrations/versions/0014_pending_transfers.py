"""A transfer waits before it takes effect, and can be reversed."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DUE = sa.text("state IN (0, 3)")


def upgrade() -> None:
    op.create_table(
        "transfer",
        sa.Column("id", BIG, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("recipient_id", BIG, nullable=False),
        sa.Column("bot_id", sa.BigInteger(), nullable=True),
        sa.Column("campaign_id", sa.BigInteger(), nullable=True),
        sa.Column("to_bot", sa.BigInteger(), nullable=True),
        sa.Column("with_leads", sa.Boolean(), nullable=False),
        sa.Column("login_id", sa.BigInteger(), nullable=True),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("moved", sa.Text(), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("due", sa.Double(), nullable=False),
        sa.Column("settled", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_transfer_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["recipient_id"], ["account.id"], name=op.f("fk_transfer_recipient_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer")),
    )
    op.create_index("ix_transfer_account_id_id", "transfer", ["account_id", "id"])
    op.create_index("ix_transfer_recipient_id_id", "transfer", ["recipient_id", "id"])
    op.create_index("ix_transfer_login_id", "transfer", ["login_id"])
    op.create_index(
        "ix_transfer_due", "transfer", ["due"], sqlite_where=DUE, postgresql_where=DUE
    )
    op.create_index("ix_transfer_settled", "transfer", ["settled"])


def downgrade() -> None:
    # What was pending is given up: its owner still has it and can ask again.
    op.drop_table("transfer")
