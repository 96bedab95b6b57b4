"""Clicks that became leads, and requests of all states, are listed by account, newest first.

Nobody waits while the indexes are built. What an interrupted build has left is built anew.
"""

from app.database.online_indexes import build_index, drop_index

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

CLICKS = "ix_click_joined"
REQUESTS = "ix_join_request_account_id"


def upgrade() -> None:
    build_index(CLICKS, "click", ["account_id", "id"], where="lead_id IS NOT NULL")
    build_index(REQUESTS, "join_request", ["account_id", "id"])


def downgrade() -> None:
    drop_index(REQUESTS, "join_request")
    drop_index(CLICKS, "click")
