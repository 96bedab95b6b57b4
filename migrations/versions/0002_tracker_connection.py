"""The tracker that profile/tracker connects: its domain and its key."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('account', sa.Column('tracker_domain', sa.String(length=255), nullable=True))
    op.add_column('account', sa.Column('tracker_key', sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column('account', 'tracker_key')
    op.drop_column('account', 'tracker_domain')
