"""People at the dashboard: logins, sessions, and what they are told."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("account", sa.Column("tg_id", sa.BigInteger(), nullable=True))
    op.add_column("account", sa.Column("expiry_told", BIG, server_default="0", nullable=False))
    op.create_index("uq_account_tg_id", "account", ["tg_id"], unique=True)

    op.create_table(
        "login",
        sa.Column("id", BIG, nullable=False),
        sa.Column("nonce_hash", sa.String(length=64), nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("expires", sa.Double(), nullable=False),
        sa.Column("used", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_login_account_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login")),
    )
    op.create_index("uq_login_nonce_hash", "login", ["nonce_hash"], unique=True)
    op.create_index("ix_login_expires", "login", ["expires"])

    op.create_table(
        "session",
        sa.Column("id", BIG, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("login_id", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("expires", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_session_account_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
    )
    op.create_index("uq_session_token_hash", "session", ["token_hash"], unique=True)
    op.create_index("ix_session_account_id", "session", ["account_id"])
    op.create_index("ix_session_login_id", "session", ["login_id"])
    op.create_index("ix_session_expires", "session", ["expires"])

    op.create_table(
        "notice",
        sa.Column("id", BIG, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    op.create_index("ix_notice_account_id_id", "notice", ["account_id", "id"])
    op.create_index("ix_notice_campaign_id", "notice", ["campaign_id"])


def downgrade() -> None:
    op.drop_table("notice")
    op.drop_table("session")
    op.drop_table("login")
    op.drop_index("uq_account_tg_id", table_name="account")
    op.drop_column("account", "expiry_told")
    op.drop_column("account", "tg_id")
