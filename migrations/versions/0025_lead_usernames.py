"""Leads are found by the username of their person."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

NAMED = sa.text("username <> ''")


def upgrade() -> None:
    op.create_index(
        "ix_lead_username",
        "lead",
        ["account_id", "username"],
        sqlite_where=NAMED,
        postgresql_where=NAMED,
    )


def downgrade() -> None:
    op.drop_index("ix_lead_username", "lead")
