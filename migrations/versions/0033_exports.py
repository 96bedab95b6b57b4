"""Lists that are prepared as files."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WRITING = sa.text("state = 0")


def upgrade() -> None:
    op.create_table(
        "export",
        sa.Column("id", BIG, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("filters", sa.Text(), nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("estimate", sa.Integer(), nullable=True),
        sa.Column("is_cut", sa.Boolean(), nullable=False),
        sa.Column("failures", sa.SmallInteger(), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("ended", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_export_account_id_account"),
        sa.PrimaryKeyConstraint("id", name="pk_export"),
    )
    op.create_index("ix_export_account_id_id", "export", ["account_id", "id"])
    op.create_index(
        "ix_export_writing", "export", ["id"], sqlite_where=WRITING, postgresql_where=WRITING
    )
    op.create_table(
        "export_part",
        sa.Column("export_id", BIG, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["export_id"], ["export.id"], name="fk_export_part_export_id_export"),
        sa.PrimaryKeyConstraint("export_id", "number", name="pk_export_part"),
    )


def downgrade() -> None:
    op.drop_table("export_part")
    op.drop_table("export")
