"""The journal says by which way a person came."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Constant defaults rewrite no rows, and workers of the old release go on inserting.
    arrival = sa.Column("arrival", sa.SmallInteger(), nullable=False, server_default="0")
    name = sa.Column("link_name", sa.String(32), nullable=False, server_default="")
    op.add_column("journal", arrival)
    op.add_column("journal", sa.Column("link_key", sa.String(32)))
    op.add_column("journal", name)


def downgrade() -> None:
    op.drop_column("journal", "link_name")
    op.drop_column("journal", "link_key")
    op.drop_column("journal", "arrival")
