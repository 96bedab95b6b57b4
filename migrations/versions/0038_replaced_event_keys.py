"""All keys for events that logins have replaced are kept for their undo, not only the last."""

import time

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NEWEST = """(
    SELECT {column} FROM replaced_event_key AS replaced
    WHERE replaced.event_key_id = event_key.id ORDER BY replaced.id DESC LIMIT 1
)"""


def upgrade() -> None:
    op.create_table(
        "replaced_event_key",
        sa.Column("id", BIG, nullable=False),
        sa.Column("event_key_id", BIG, nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("secret", sa.Text(), nullable=True),
        sa.Column("login_id", sa.BigInteger(), nullable=True),
        sa.Column("replaced", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_key_id"],
            ["event_key.id"],
            name=op.f("fk_replaced_event_key_event_key_id_event_key"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_replaced_event_key")),
    )
    op.create_index(
        "ix_replaced_event_key_event_key_id_id", "replaced_event_key", ["event_key_id", "id"]
    )
    # The columns stay: the version before reads them.
    copied = sa.text("""
        INSERT INTO replaced_event_key (event_key_id, key_hash, secret, login_id, replaced)
        SELECT id, earlier_hash, earlier_secret, earlier_login_id, :now FROM event_key
        WHERE earlier_hash IS NOT NULL
    """)
    op.execute(copied.bindparams(now=time.time()))


def downgrade() -> None:
    names = {"earlier_hash": "key_hash", "earlier_secret": "secret", "earlier_login_id": "login_id"}
    values = ", ".join(f"{old} = {NEWEST.format(column=new)}" for old, new in names.items())
    op.execute(f"UPDATE event_key SET {values}")
    op.drop_table("replaced_event_key")
