"""Join requests, rules for them, blocked people, and messages that go first or expire."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NEW_COLUMNS = {
    "campaign": (
        ("desk", sa.SmallInteger(), "0"),
        ("desk_cap", sa.Integer(), "0"),
        ("desk_quiet_from", sa.SmallInteger(), "0"),
        ("desk_quiet_to", sa.SmallInteger(), "0"),
        ("desk_told", sa.Double(), "0"),
        ("greet", sa.Text(), ""),
        ("greet_button", sa.String(64), ""),
        ("greet_on", sa.SmallInteger(), "1"),
    ),
    "message": (("lane", sa.SmallInteger(), "1"),),
}


def upgrade() -> None:
    for table, columns in NEW_COLUMNS.items():
        for name, kind, default in columns:
            op.add_column(table, sa.Column(name, kind, nullable=False, server_default=default))
    op.add_column("message", sa.Column("expires", sa.Double()))
    _index("ix_message_urgent", ["bot_id", "due", "id"], "state = 0 AND lane = 0", "message")
    op.create_table(
        "join_request",
        sa.Column("id", BIG, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("campaign_id", BIG, nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("bot_id", "chat_id", "subscriber")
        ),
        sa.Column("asked", BIG, nullable=False),
        sa.Column("user_chat", sa.BigInteger(), nullable=False),
        sa.Column("username", sa.String(64), nullable=False),
        sa.Column("first_name", sa.String(64), nullable=False),
        sa.Column("last_name", sa.String(64), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("premium", sa.Boolean(), nullable=False),
        sa.Column("bio", sa.Text()),
        sa.Column("link_key", sa.String(32)),
        sa.Column("link_name", sa.String(32), nullable=False),
        sa.Column("source_id", sa.BigInteger()),
        sa.Column("click_id", sa.BigInteger()),
        sa.Column("came", sa.SmallInteger(), nullable=False),
        sa.Column("query", sa.String(64), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("action", sa.SmallInteger(), nullable=False),
        sa.Column("asks", sa.Boolean(), nullable=False),
        sa.Column("rule_id", sa.BigInteger()),
        sa.Column("decided", sa.Double()),
        sa.Column("decided_by", sa.SmallInteger(), nullable=False),
        sa.Column("due", sa.Double()),
        sa.Column("lease", sa.String(32)),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("batch", sa.String(16), nullable=False),
        sa.Column("message_id", sa.BigInteger()),
        sa.Column("lead_id", sa.BigInteger()),
        _of_campaign("join_request"),
        sa.PrimaryKeyConstraint("id", name="pk_join_request"),
    )
    op.create_index(
        "uq_join_request_person", "join_request", ["chat_id", "subscriber", "asked"], unique=True
    )
    for columns in (["account_id", "state", "id"], ["campaign_id", "state", "id"]):
        op.create_index(f"ix_join_request_{columns[0]}_state", "join_request", columns)
    for pair in (["campaign_id", "decided"], ["account_id", "subscriber"]):
        op.create_index("ix_join_request_" + "_".join(pair), "join_request", pair)
    for name, columns, where in (
        ("ix_join_request_scheduled", ["campaign_id", "due", "id"], "state = 1"),
        ("ix_join_request_sending", ["due"], "state = 2"),
        ("ix_join_request_bio", ["decided"], "bio IS NOT NULL"),
        ("ix_join_request_batch", ["batch"], "batch <> ''"),
    ):
        _index(name, columns, where, "join_request")
    op.create_table(
        "request_rule",
        sa.Column("id", BIG, nullable=False),
        sa.Column("campaign_id", BIG, nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("conditions", sa.Text(), nullable=False),
        sa.Column("action", sa.SmallInteger(), nullable=False),
        sa.Column("otherwise", sa.SmallInteger(), nullable=False),
        sa.Column("delay_from", sa.Integer(), nullable=False),
        sa.Column("delay_to", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(200), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        _of_campaign("request_rule"),
        sa.PrimaryKeyConstraint("id", name="pk_request_rule"),
    )
    op.create_index("ix_request_rule_campaign_id", "request_rule", ["campaign_id", "position"])
    op.create_table(
        "blocked",
        sa.Column("id", BIG, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("subscriber", sa.BigInteger()),
        sa.Column("person", sa.String(64)),
        sa.Column("username", sa.String(64)),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("created", BIG, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], "fk_blocked_account_id_account"),
        sa.PrimaryKeyConstraint("id", name="pk_blocked"),
    )
    for name in ("person", "username"):
        op.create_index(f"uq_blocked_{name}", "blocked", ["account_id", name], unique=True)


def downgrade() -> None:
    for table in ("blocked", "request_rule", "join_request"):
        op.drop_table(table)
    op.drop_index("ix_message_urgent", "message")
    op.drop_column("message", "expires")
    for table, columns in NEW_COLUMNS.items():
        for name, _, _ in columns:
            op.drop_column(table, name)


def _of_campaign(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["campaign_id"], ["campaign.id"], f"fk_{table}_campaign_id_campaign"
    )


def _index(name: str, columns: list[str], where: str, table: str) -> None:
    condition = sa.text(where)
    op.create_index(
        name, table, columns, sqlite_where=condition, postgresql_where=condition
    )
