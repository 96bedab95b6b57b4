"""The newest lead of a click, and the last report of a lead, however many there are of either.

Also: conversions without a lead are found by their account.
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

CLICKED = sa.text("click <> ''")
COLD = sa.text("lead_id IS NULL")
WARM = sa.text("lead_id IS NOT NULL")


def upgrade() -> None:
    _replace("ix_lead_click", "lead", ["account_id", "click", "id"], CLICKED)
    _replace("ix_click_external", "click", ["account_id", "external", "lead_id"])
    _replace("ix_conversion_lead_id", "conversion", ["lead_id", "reported"], WARM)
    _create("ix_conversion_cold_of_account", "conversion", ["account_id", "id"], COLD)


def downgrade() -> None:
    op.drop_index("ix_conversion_cold_of_account", "conversion")
    _replace("ix_conversion_lead_id", "conversion", ["lead_id"], WARM)
    _replace("ix_click_external", "click", ["account_id", "external"])
    _replace("ix_lead_click", "lead", ["account_id", "click"], CLICKED)


def _replace(name: str, table: str, columns: list[str], where: sa.TextClause | None = None) -> None:
    op.drop_index(name, table)
    _create(name, table, columns, where)


def _create(name: str, table: str, columns: list[str], where: sa.TextClause | None) -> None:
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
