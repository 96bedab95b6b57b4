"""Conversions of people who have not come yet wait for them by their Telegram id."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

KNOWN = sa.text("subscriber IS NOT NULL")


def upgrade() -> None:
    op.add_column("conversion", sa.Column("subscriber", sa.BigInteger()))
    op.create_index(
        "ix_conversion_subscriber",
        "conversion",
        ["account_id", "subscriber"],
        sqlite_where=KNOWN,
        postgresql_where=KNOWN,
    )


def downgrade() -> None:
    op.drop_index("ix_conversion_subscriber", "conversion")
    op.drop_column("conversion", "subscriber")
