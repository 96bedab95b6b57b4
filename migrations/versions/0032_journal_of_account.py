"""The journal is listed over all chats of an account, newest first, and counted over them.

Nobody waits while the indexes are built. What an interrupted build has left is built anew.
"""

from app.database.online_indexes import build_index, drop_index

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

ROWS = "ix_journal_account_id_time"
TALLIES = "ix_journal_tally_account_id_span"


def upgrade() -> None:
    build_index(ROWS, "journal", ["account_id", "time", "id"])
    build_index(
        TALLIES, "journal_tally", ["account_id", "span", "start", "action"], where="span > 0"
    )


def downgrade() -> None:
    drop_index(TALLIES, "journal_tally")
    drop_index(ROWS, "journal")
