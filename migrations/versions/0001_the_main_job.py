"""The main job: accounts, bots, campaigns, leads, the inbox and the outbox."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('account',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('login', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=128), nullable=False),
    sa.Column('lang', sa.String(length=2), nullable=False),
    sa.Column('status', sa.Integer(), nullable=False),
    sa.Column('key_hash', sa.String(length=64), nullable=False),
    sa.Column('tariff', sa.String(length=16), nullable=False),
    sa.Column('paid_until', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('notify_tariff', sa.Boolean(), nullable=False),
    sa.Column('notify_leads', sa.Boolean(), nullable=False),
    sa.Column('created', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_account'))
    )
    op.create_index('uq_account_login', 'account', ['login'], unique=True)
    op.create_table('attempt',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('postback_id', sa.BigInteger(), nullable=False),
    sa.Column('occurrence', sa.Integer(), nullable=False),
    sa.Column('number', sa.SmallInteger(), nullable=False),
    sa.Column('step', sa.String(length=32), nullable=False),
    sa.Column('started', sa.Double(), nullable=False),
    sa.Column('ms', sa.Integer(), nullable=False),
    sa.Column('request', sa.Text(), nullable=False),
    sa.Column('status', sa.SmallInteger(), nullable=True),
    sa.Column('answer', sa.Text(), nullable=False),
    sa.Column('verdict', sa.String(length=12), nullable=False),
    sa.Column('reason', sa.String(length=300), nullable=False),
    sa.Column('next_try', sa.Double(), nullable=True),
    sa.Column('key', sa.String(length=128), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_attempt'))
    )
    op.create_index('ix_attempt_postback_id', 'attempt', ['postback_id'], unique=False)
    op.create_table('journal',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('bot_id', sa.BigInteger(), nullable=False),
    sa.Column('chat_id', sa.BigInteger(), nullable=False),
    sa.Column('campaign_id', sa.BigInteger(), nullable=False),
    sa.Column('lead_id', sa.BigInteger(), nullable=True),
    sa.Column('subscriber', sa.BigInteger(), nullable=False),
    sa.Column('username', sa.String(length=64), nullable=False),
    sa.Column('action', sa.SmallInteger(), nullable=False),
    sa.Column('time', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('update_uid', sa.BigInteger(), nullable=False),
    sa.Column('decision', sa.String(length=200), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_journal'))
    )
    op.create_index('ix_journal_bot_id_chat_id_id', 'journal', ['bot_id', 'chat_id', 'id'], unique=False)
    op.create_index('ix_journal_lead_id', 'journal', ['lead_id'], unique=False, sqlite_where=sa.text('lead_id IS NOT NULL'), postgresql_where=sa.text('lead_id IS NOT NULL'))
    op.create_index('ix_journal_organic', 'journal', ['campaign_id', 'subscriber'], unique=False, sqlite_where=sa.text('lead_id IS NULL'), postgresql_where=sa.text('lead_id IS NULL'))
    op.create_table('message',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('bot_id', sa.BigInteger(), nullable=False),
    sa.Column('chat_id', sa.BigInteger(), nullable=False),
    sa.Column('campaign_id', sa.BigInteger(), nullable=False),
    sa.Column('lead_id', sa.BigInteger(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('parse_mode', sa.String(length=16), nullable=False),
    sa.Column('markup', sa.Text(), nullable=False),
    sa.Column('state', sa.SmallInteger(), nullable=False),
    sa.Column('reason', sa.String(length=300), nullable=False),
    sa.Column('tries', sa.SmallInteger(), nullable=False),
    sa.Column('due', sa.Double(), nullable=False),
    sa.Column('lease', sa.String(length=32), nullable=True),
    sa.Column('lease_until', sa.Double(), nullable=True),
    sa.Column('created', sa.Double(), nullable=False),
    sa.Column('sent', sa.Double(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_message'))
    )
    op.create_index('ix_message_bot_id_chat_id', 'message', ['bot_id', 'chat_id', 'id'], unique=False)
    op.create_index('ix_message_sending', 'message', ['lease_until'], unique=False, sqlite_where=sa.text('state = 1'), postgresql_where=sa.text('state = 1'))
    op.create_index('ix_message_waiting', 'message', ['bot_id', 'due', 'id'], unique=False, sqlite_where=sa.text('state = 0'), postgresql_where=sa.text('state = 0'))
    op.create_table('postback',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('campaign_id', sa.BigInteger(), nullable=False),
    sa.Column('lead_id', sa.BigInteger(), nullable=False),
    sa.Column('destination_id', sa.BigInteger(), nullable=False),
    sa.Column('sequence', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('event', sa.Text(), nullable=False),
    sa.Column('state', sa.SmallInteger(), nullable=False),
    sa.Column('reason', sa.String(length=300), nullable=False),
    sa.Column('occurrence', sa.Integer(), nullable=False),
    sa.Column('tries', sa.SmallInteger(), nullable=False),
    sa.Column('steps', sa.SmallInteger(), nullable=False),
    sa.Column('due', sa.Double(), nullable=False),
    sa.Column('first_try', sa.Double(), nullable=True),
    sa.Column('lease', sa.String(length=32), nullable=True),
    sa.Column('lease_until', sa.Double(), nullable=True),
    sa.Column('created', sa.Double(), nullable=False),
    sa.Column('settled', sa.Double(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_postback'))
    )
    op.create_index('ix_postback_account_id_id', 'postback', ['account_id', 'id'], unique=False)
    op.create_index('ix_postback_sending', 'postback', ['lease_until'], unique=False, sqlite_where=sa.text('state = 1'), postgresql_where=sa.text('state = 1'))
    op.create_index('ix_postback_waiting', 'postback', ['destination_id', 'due', 'id'], unique=False, sqlite_where=sa.text('state = 0'), postgresql_where=sa.text('state = 0'))
    op.create_index('uq_postback_lead_id_destination_id_sequence', 'postback', ['lead_id', 'destination_id', 'sequence'], unique=True)
    op.create_table('telegram_update',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('bot_id', sa.BigInteger(), nullable=False),
    sa.Column('update_id', sa.BigInteger(), nullable=True),
    sa.Column('body', sa.LargeBinary(), nullable=False),
    sa.Column('received', sa.Double(), nullable=False),
    sa.Column('state', sa.SmallInteger(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_telegram_update'))
    )
    op.create_index('ix_telegram_update_parked', 'telegram_update', ['id'], unique=False, sqlite_where=sa.text('state = 3'), postgresql_where=sa.text('state = 3'))
    op.create_index('ix_telegram_update_received', 'telegram_update', ['received'], unique=False)
    op.create_index('ix_telegram_update_waiting', 'telegram_update', ['id'], unique=False, sqlite_where=sa.text('state = 0'), postgresql_where=sa.text('state = 0'))
    op.create_index('uq_telegram_update_bot_id_update_id', 'telegram_update', ['bot_id', 'update_id'], unique=True)
    op.create_table('unreachable',
    sa.Column('bot_id', sa.BigInteger(), nullable=False),
    sa.Column('subscriber', sa.BigInteger(), nullable=False),
    sa.Column('since', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.PrimaryKeyConstraint('bot_id', 'subscriber', name=op.f('pk_unreachable'))
    )
    op.create_table('bot',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('tg_id', sa.BigInteger(), nullable=False),
    sa.Column('username', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=128), nullable=False),
    sa.Column('token', sa.Text(), nullable=False),
    sa.Column('status', sa.Integer(), nullable=False),
    sa.Column('paused', sa.String(length=200), nullable=False),
    sa.Column('webhook_path', sa.String(length=64), nullable=False),
    sa.Column('webhook_url', sa.String(length=500), nullable=False),
    sa.Column('poll_offset', sa.BigInteger(), nullable=False),
    sa.Column('poll_token', sa.String(length=32), nullable=False),
    sa.Column('poll_until', sa.Double(), nullable=False),
    sa.Column('quiet_until', sa.Double(), nullable=False),
    sa.Column('next_send', sa.Double(), nullable=False),
    sa.Column('created', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_bot_account_id_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_bot'))
    )
    op.create_index('ix_bot_account_id', 'bot', ['account_id'], unique=False)
    op.create_index('uq_bot_tg_id_living', 'bot', ['tg_id'], unique=True, sqlite_where=sa.text('status <> 3'), postgresql_where=sa.text('status <> 3'))
    op.create_index('uq_bot_webhook_path', 'bot', ['webhook_path'], unique=True)
    op.create_table('bot_chat',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('bot_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('chat_id', sa.BigInteger(), nullable=False),
    sa.Column('title', sa.String(length=255), nullable=False),
    sa.Column('type', sa.String(length=16), nullable=False),
    sa.Column('is_admin', sa.Boolean(), nullable=False),
    sa.Column('changed', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['bot_id'], ['bot.id'], name=op.f('fk_bot_chat_bot_id_bot')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_bot_chat')),
    sa.UniqueConstraint('bot_id', 'chat_id', name=op.f('uq_bot_chat_bot_id_chat_id'))
    )
    op.create_table('campaign',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('bot_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('chat_id', sa.BigInteger(), nullable=False),
    sa.Column('chat_title', sa.String(length=255), nullable=False),
    sa.Column('code', sa.String(length=16), nullable=False),
    sa.Column('status', sa.Integer(), nullable=False),
    sa.Column('welcome', sa.Text(), nullable=False),
    sa.Column('welcome_fault', sa.String(length=300), nullable=False),
    sa.Column('media', sa.String(length=64), nullable=False),
    sa.Column('button_text', sa.String(length=64), nullable=False),
    sa.Column('button_url', sa.Text(), nullable=False),
    sa.Column('unsub_window', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('notify_level', sa.SmallInteger(), nullable=False),
    sa.Column('created', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_campaign_account_id_account')),
    sa.ForeignKeyConstraint(['bot_id'], ['bot.id'], name=op.f('fk_campaign_bot_id_bot')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_campaign'))
    )
    op.create_index('ix_campaign_account_id', 'campaign', ['account_id'], unique=False)
    op.create_index('ix_campaign_bot_id_chat_id', 'campaign', ['bot_id', 'chat_id'], unique=False)
    op.create_index('uq_campaign_chat_id_living', 'campaign', ['chat_id'], unique=True, sqlite_where=sa.text('status <> 2'), postgresql_where=sa.text('status <> 2'))
    op.create_index('uq_campaign_code', 'campaign', ['code'], unique=True)
    op.create_table('campaign_day',
    sa.Column('campaign_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('day', sa.Integer(), nullable=False),
    sa.Column('starts', sa.Integer(), nullable=False),
    sa.Column('holds', sa.Integer(), nullable=False),
    sa.Column('confirms', sa.Integer(), nullable=False),
    sa.Column('unsubs', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaign.id'], name=op.f('fk_campaign_day_campaign_id_campaign')),
    sa.PrimaryKeyConstraint('campaign_id', 'day', name=op.f('pk_campaign_day'))
    )
    op.create_table('destination',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('campaign_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('role', sa.SmallInteger(), nullable=False),
    sa.Column('tracker', sa.String(length=64), nullable=False),
    sa.Column('title', sa.String(length=128), nullable=False),
    sa.Column('settings', sa.Text(), nullable=False),
    sa.Column('events', sa.SmallInteger(), nullable=False),
    sa.Column('every_event', sa.Boolean(), nullable=False),
    sa.Column('status', sa.SmallInteger(), nullable=False),
    sa.Column('reason', sa.String(length=300), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('blocked_until', sa.Double(), nullable=False),
    sa.Column('created', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_destination_account_id_account')),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaign.id'], name=op.f('fk_destination_campaign_id_campaign')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_destination'))
    )
    op.create_index('ix_destination_account_id', 'destination', ['account_id'], unique=False)
    op.create_index('ix_destination_campaign_id', 'destination', ['campaign_id'], unique=False)
    op.create_index('uq_destination_account_template', 'destination', ['account_id'], unique=True, sqlite_where=sa.text('role = 0 AND campaign_id IS NULL'), postgresql_where=sa.text('role = 0 AND campaign_id IS NULL'))
    op.create_index('uq_destination_campaign_template', 'destination', ['campaign_id'], unique=True, sqlite_where=sa.text('role = 0 AND campaign_id IS NOT NULL'), postgresql_where=sa.text('role = 0 AND campaign_id IS NOT NULL'))
    op.create_table('lead',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('campaign_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('bot_id', sa.BigInteger(), nullable=False),
    sa.Column('subscriber', sa.BigInteger(), nullable=False),
    sa.Column('username', sa.String(length=64), nullable=False),
    sa.Column('first_name', sa.String(length=64), nullable=False),
    sa.Column('last_name', sa.String(length=64), nullable=False),
    sa.Column('language', sa.String(length=16), nullable=False),
    sa.Column('premium', sa.Boolean(), nullable=False),
    sa.Column('click', sa.String(length=256), nullable=False),
    sa.Column('state', sa.SmallInteger(), nullable=False),
    sa.Column('start_time', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('join_time', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('updated', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('started_at', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('started_uid', sa.BigInteger(), nullable=False),
    sa.Column('member_at', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('member_uid', sa.BigInteger(), nullable=False),
    sa.Column('held', sa.Boolean(), nullable=False),
    sa.Column('reports', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaign.id'], name=op.f('fk_lead_campaign_id_campaign')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_lead')),
    sa.UniqueConstraint('campaign_id', 'subscriber', name=op.f('uq_lead_campaign_id_subscriber'))
    )
    op.create_index('ix_lead_account_id_id', 'lead', ['account_id', 'id'], unique=False)
    op.create_index('ix_lead_bot_id_subscriber', 'lead', ['bot_id', 'subscriber'], unique=False)


def downgrade() -> None:
    op.drop_index('ix_lead_bot_id_subscriber', table_name='lead')
    op.drop_index('ix_lead_account_id_id', table_name='lead')
    op.drop_table('lead')
    op.drop_index('uq_destination_campaign_template', table_name='destination', sqlite_where=sa.text('role = 0 AND campaign_id IS NOT NULL'), postgresql_where=sa.text('role = 0 AND campaign_id IS NOT NULL'))
    op.drop_index('uq_destination_account_template', table_name='destination', sqlite_where=sa.text('role = 0 AND campaign_id IS NULL'), postgresql_where=sa.text('role = 0 AND campaign_id IS NULL'))
    op.drop_index('ix_destination_campaign_id', table_name='destination')
    op.drop_index('ix_destination_account_id', table_name='destination')
    op.drop_table('destination')
    op.drop_table('campaign_day')
    op.drop_index('uq_campaign_code', table_name='campaign')
    op.drop_index('uq_campaign_chat_id_living', table_name='campaign', sqlite_where=sa.text('status <> 2'), postgresql_where=sa.text('status <> 2'))
    op.drop_index('ix_campaign_bot_id_chat_id', table_name='campaign')
    op.drop_index('ix_campaign_account_id', table_name='campaign')
    op.drop_table('campaign')
    op.drop_table('bot_chat')
    op.drop_index('uq_bot_webhook_path', table_name='bot')
    op.drop_index('uq_bot_tg_id_living', table_name='bot', sqlite_where=sa.text('status <> 3'), postgresql_where=sa.text('status <> 3'))
    op.drop_index('ix_bot_account_id', table_name='bot')
    op.drop_table('bot')
    op.drop_table('unreachable')
    op.drop_index('uq_telegram_update_bot_id_update_id', table_name='telegram_update')
    op.drop_index('ix_telegram_update_waiting', table_name='telegram_update', sqlite_where=sa.text('state = 0'), postgresql_where=sa.text('state = 0'))
    op.drop_index('ix_telegram_update_received', table_name='telegram_update')
    op.drop_index('ix_telegram_update_parked', table_name='telegram_update', sqlite_where=sa.text('state = 3'), postgresql_where=sa.text('state = 3'))
    op.drop_table('telegram_update')
    op.drop_index('uq_postback_lead_id_destination_id_sequence', table_name='postback')
    op.drop_index('ix_postback_waiting', table_name='postback', sqlite_where=sa.text('state = 0'), postgresql_where=sa.text('state = 0'))
    op.drop_index('ix_postback_sending', table_name='postback', sqlite_where=sa.text('state = 1'), postgresql_where=sa.text('state = 1'))
    op.drop_index('ix_postback_account_id_id', table_name='postback')
    op.drop_table('postback')
    op.drop_index('ix_message_waiting', table_name='message', sqlite_where=sa.text('state = 0'), postgresql_where=sa.text('state = 0'))
    op.drop_index('ix_message_sending', table_name='message', sqlite_where=sa.text('state = 1'), postgresql_where=sa.text('state = 1'))
    op.drop_index('ix_message_bot_id_chat_id', table_name='message')
    op.drop_table('message')
    op.drop_index('ix_journal_organic', table_name='journal', sqlite_where=sa.text('lead_id IS NULL'), postgresql_where=sa.text('lead_id IS NULL'))
    op.drop_index('ix_journal_lead_id', table_name='journal', sqlite_where=sa.text('lead_id IS NOT NULL'), postgresql_where=sa.text('lead_id IS NOT NULL'))
    op.drop_index('ix_journal_bot_id_chat_id_id', table_name='journal')
    op.drop_table('journal')
    op.drop_index('ix_attempt_postback_id', table_name='attempt')
    op.drop_table('attempt')
    op.drop_index('uq_account_login', table_name='account')
    op.drop_table('account')
