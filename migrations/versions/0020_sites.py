"""Sites that report visits, and what a visit adds to a click."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PRIVATE = sa.text("ip IS NOT NULL OR ua IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "site",
        sa.Column("id", BIG, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("public_id", sa.String(16), nullable=False),
        sa.Column("domains", sa.Text(), nullable=False),
        sa.Column("default_source_id", sa.BigInteger()),
        sa.Column("capture", sa.SmallInteger(), nullable=False),
        sa.Column("consent", sa.SmallInteger(), nullable=False),
        sa.Column("created", BIG, nullable=False),
        sa.Column("last_seen", BIG, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], "fk_site_account_id_account"),
        sa.PrimaryKeyConstraint("id", name="pk_site"),
    )
    op.create_index("uq_site_public_id", "site", ["public_id"], unique=True)
    op.create_index("ix_site_account_id", "site", ["account_id"])
    op.add_column("source_day", sa.Column("visits", sa.Integer(), nullable=False, server_default="0"))
    for column in (
        sa.Column("site_id", sa.BigInteger()),
        sa.Column("pressed", BIG),
        sa.Column("landing", sa.String(2048), nullable=False, server_default=""),
        sa.Column("ip", sa.Text()),
        sa.Column("ua", sa.Text()),
        sa.Column("country", sa.String(2), nullable=False, server_default=""),
        sa.Column("city", sa.String(64), nullable=False, server_default=""),
    ):
        op.add_column("click", column)
    op.execute("UPDATE click SET pressed = created")
    op.create_index(
        "ix_click_private", "click", ["created"], sqlite_where=PRIVATE, postgresql_where=PRIVATE
    )


def downgrade() -> None:
    op.drop_index("ix_click_private", "click")
    op.execute("DELETE FROM click WHERE pressed IS NULL")  # a visit was no click before
    for name in ("city", "country", "ua", "ip", "landing", "pressed", "site_id"):
        op.drop_column("click", name)
    op.drop_column("source_day", "visits")
    op.drop_table("site")
