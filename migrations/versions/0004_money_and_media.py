"""Counters by quarter of an hour and by cohort; transfer, payments, media."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
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
    op.create_table('transfer_token',
    sa.Column('account_id', BIG, nullable=False),
    sa.Column('token', sa.Text(), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_transfer_token_account_id_account')),
    sa.PrimaryKeyConstraint('account_id', name=op.f('pk_transfer_token'))
    )
    op.create_index('uq_transfer_token_token_hash', 'transfer_token', ['token_hash'], unique=True)
    op.create_table('payment',
    sa.Column('id', BIG, nullable=False),
    sa.Column('account_id', BIG, nullable=False),
    sa.Column('ref', sa.String(length=64), nullable=False),
    sa.Column('tariff', sa.String(length=16), nullable=False),
    sa.Column('gateway', sa.String(length=64), nullable=False),
    sa.Column('state', sa.SmallInteger(), nullable=False),
    sa.Column('url', sa.String(length=2000), nullable=False),
    sa.Column('amount', sa.Integer(), nullable=False),
    sa.Column('currency', sa.String(length=8), nullable=False),
    sa.Column('created', BIG, nullable=False),
    sa.Column('paid', BIG, nullable=True),
    sa.Column('until', BIG, nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_payment_account_id_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_payment'))
    )
    op.create_index('ix_payment_account_id_id', 'payment', ['account_id', 'id'])
    op.create_index('uq_payment_ref', 'payment', ['ref'], unique=True)
    op.create_table('media',
    sa.Column('id', BIG, nullable=False),
    sa.Column('account_id', BIG, nullable=False),
    sa.Column('code', sa.String(length=64), nullable=False),
    sa.Column('type', sa.String(length=32), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('created', BIG, nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_media_account_id_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_media'))
    )
    op.create_index('uq_media_code', 'media', ['code'], unique=True)
    op.create_index('uq_media_account_id_digest', 'media', ['account_id', 'digest'], unique=True)
    op.create_table('media_part',
    sa.Column('media_id', BIG, nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('data', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['media_id'], ['media.id'], name=op.f('fk_media_part_media_id_media')),
    sa.PrimaryKeyConstraint('media_id', 'number', name=op.f('pk_media_part'))
    )
    op.create_table('media_file',
    sa.Column('bot_id', sa.BigInteger(), nullable=False),
    sa.Column('media', sa.String(length=64), nullable=False),
    sa.Column('file_id', sa.String(length=256), nullable=False),
    sa.PrimaryKeyConstraint('bot_id', 'media', name=op.f('pk_media_file'))
    )
    op.add_column('message', sa.Column('media', sa.String(length=64), nullable=True))


def downgrade() -> None:
    op.drop_column('message', 'media')
    op.drop_table('media_file')
    op.drop_table('media_part')
    op.drop_table('media')
    op.drop_table('payment')
    op.drop_table('transfer_token')
    op.drop_table('campaign_cohort')
    op.drop_table('campaign_quarter')
