"""Counters by quarter of an hour and by cohort; transfer, payments, media."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('campaign_quarter',
    sa.Column('campaign_id', BIG, nullable=False),
    sa.Column('quarter', sa.Integer(), nullable=False),
    sa.Column('starts', sa.Integer(), nullable=False),
    sa.Column('holds', sa.Integer(), nullable=False),
    sa.Column('confirms', sa.Integer(), nullable=False),
    sa.Column('unsubs', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaign.id'], name=op.f('fk_campaign_quarter_campaign_id_campaign')),
    sa.PrimaryKeyConstraint('campaign_id', 'quarter', name=op.f('pk_campaign_quarter'))
    )
    op.create_table('campaign_cohort',
    sa.Column('campaign_id', BIG, nullable=False),
    sa.Column('join_day', sa.Integer(), nullable=False),
    sa.Column('age_day', sa.SmallInteger(), nullable=False),
    sa.Column('left', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaign.id'], name=op.f('fk_campaign_cohort_campaign_id_campaign')),
    sa.PrimaryKeyConstraint('campaign_id', 'join_day', 'age_day', name=op.f('pk_campaign_cohort'))
    )


def downgrade() -> None:
    op.drop_table('campaign_cohort')
    op.drop_table('campaign_quarter')
