"""What an adapter carries from one answer to its next request."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column("carried", sa.Text(), server_default="", nullable=False)
    op.add_column("postback", column)


def downgrade() -> None:
    op.drop_column("postback", "carried")
