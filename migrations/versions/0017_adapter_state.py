"""What an adapter keeps from one answer for its next request gets its plain name."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE postback RENAME COLUMN carried TO adapter_state")


def downgrade() -> None:
    op.execute("ALTER TABLE postback RENAME COLUMN adapter_state TO carried")
