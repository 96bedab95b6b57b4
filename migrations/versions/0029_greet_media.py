"""A greeting may show a photo or a video."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column("greet_media", sa.String(64), nullable=False, server_default="")
    op.add_column("campaign", column)


def downgrade() -> None:
    op.drop_column("campaign", "greet_media")
