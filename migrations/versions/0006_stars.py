"""Payments with a price, a charge and a refund of their own; webhooks are set anew."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.add_column('payment', sa.Column('before', sa.String(length=16), server_default='', nullable=False))
    op.add_column('payment', sa.Column('price', sa.Integer(), server_default='0', nullable=False))
    op.add_column('payment', sa.Column('price_currency', sa.String(length=8), server_default='', nullable=False))
    op.add_column('payment', sa.Column('charge', sa.String(length=255), nullable=True))
    op.add_column('payment', sa.Column('payer', sa.BigInteger(), nullable=True))
    op.add_column('payment', sa.Column('refunded', BIG, nullable=True))
    op.create_index('uq_payment_gateway_charge', 'payment', ['gateway', 'charge'], unique=True)
    # Telegram keeps the kinds of updates it was told; an unknown address makes us tell it again.
    op.execute("UPDATE bot SET webhook_url = ''")


def downgrade() -> None:
    # The version before knows no third state, and would fail to show such a payment.
    op.execute('UPDATE payment SET state = 1 WHERE state = 2')
    op.drop_index('uq_payment_gateway_charge', table_name='payment')
    for column in ('refunded', 'payer', 'charge', 'price_currency', 'price', 'before'):
        op.drop_column('payment', column)
