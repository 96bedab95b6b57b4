"""Tallies of the long lists, kept by triggers, and indexes in the order of the lists.

The rows that are there already are counted here. Who reads or writes leads,
journal or postbacks waits meanwhile: the triggers and the first count must see
the same rows. Updates are taken in all the same.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
SMALL = sa.SmallInteger()

COLUMNS = {
    'account_id': sa.BigInteger(),
    'campaign_id': sa.BigInteger(),
    'bot_id': sa.BigInteger(),
    'chat_id': sa.BigInteger(),
    'destination_id': sa.BigInteger(),
    'kind': sa.String(length=8),
    'action': SMALL,
    'state': SMALL,
}
#: By list: the time it is sorted by, what its rows are counted by, and the unique index.
TALLIES = {
    'lead': (
        'start_time',
        ['account_id', 'campaign_id', 'state'],
        ['account_id', 'span', 'start', 'campaign_id', 'state'],
    ),
    'journal': (
        'time',
        ['account_id', 'bot_id', 'chat_id', 'action'],
        ['account_id', 'bot_id', 'chat_id', 'span', 'start', 'action'],
    ),
    'postback': (
        'created',
        ['account_id', 'campaign_id', 'destination_id', 'kind', 'state'],
        ['account_id', 'span', 'start', 'campaign_id', 'destination_id', 'kind', 'state'],
    ),
}
OPERATIONS = {'INSERT': {'NEW': 1}, 'UPDATE': {'NEW': 1, 'OLD': -1}, 'DELETE': {'OLD': -1}}
SPANS = {1: 3600, 2: 86400, 3: None}

INDEXES = [
    ('ix_lead_account_id_start_time', 'lead', ['account_id', 'start_time', 'id']),
    ('ix_lead_campaign_id_start_time', 'lead', ['campaign_id', 'start_time', 'id']),
    ('ix_journal_bot_id_chat_id_time', 'journal', ['bot_id', 'chat_id', 'time', 'id']),
    ('ix_postback_account_id_created', 'postback', ['account_id', 'created', 'id']),
    ('ix_postback_campaign_id_created', 'postback', ['campaign_id', 'created', 'id']),
    ('ix_postback_destination_id_created', 'postback', ['destination_id', 'created', 'id']),
]
REPLACED = [
    ('ix_lead_account_id_id', 'lead', ['account_id', 'id']),
    ('ix_journal_bot_id_chat_id_id', 'journal', ['bot_id', 'chat_id', 'id']),
    ('ix_postback_account_id_id', 'postback', ['account_id', 'id']),
]


def _partial(name, table, columns, where, **options):
    where = sa.text(where)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where, **options)


def upgrade() -> None:
    _stop_writers()
    for name, table, columns in INDEXES:
        op.create_index(name, table, columns)
    _partial(
        'ix_postback_trouble', 'postback', ['account_id', 'state', 'created', 'id'], 'state > 2'
    )
    for name, table, _ in REPLACED:
        op.drop_index(name, table_name=table)
    for table, (time, columns, unique) in TALLIES.items():
        _create_tally(f'{table}_tally', columns, unique)
        for statement in _triggers(table, time, columns):
            op.execute(statement)
        _count(table, time, columns)


def _stop_writers():
    """The strongest lock first: an index is dropped below, and for that we would wait for a
    worker that has read a table and waits for us to write it."""
    if _is_postgresql():
        op.execute('LOCK TABLE lead, journal, postback IN ACCESS EXCLUSIVE MODE')


def _create_tally(tally, columns, unique):
    op.create_table(
        tally,
        sa.Column('id', BIG, nullable=False),
        *(sa.Column(name, COLUMNS[name], nullable=False) for name in columns),
        sa.Column('span', SMALL, nullable=False),
        sa.Column('start', BIG, nullable=False),
        sa.Column('number', sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f(f'pk_{tally}')),
    )
    _partial(f'uq_{tally}', tally, unique, 'span > 0', unique=True)
    _partial(f'ix_{tally}_fresh', tally, ['account_id', 'id'], 'span = 0')


def _is_postgresql():
    return op.get_bind().dialect.name == 'postgresql'


def _whole(time):
    return f'CAST(floor({time}) AS bigint)' if _is_postgresql() else f'CAST({time} AS INTEGER)'


def _triggers(table, time, columns):
    make = _postgresql if _is_postgresql() else _sqlite
    for operation, counts in OPERATIONS.items():
        yield from make(table, time, columns, operation, counts)


def _postgresql(table, time, columns, operation, counts):
    name, listed = f'{table}_tally_{operation.lower()}', ', '.join(columns)
    moved = ' UNION ALL '.join(
        f'SELECT {listed}, {_whole(time)} / 3600 * 3600 AS start, {count} AS number'
        f' FROM {side.lower()}_rows'
        for side, count in counts.items()
    )
    yield (
        f'CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$\n'
        f'BEGIN\n'
        f'INSERT INTO {table}_tally ({listed}, span, start, number)\n'
        f'SELECT {listed}, 0, start, sum(number) FROM ({moved}) moved\n'
        f'GROUP BY {listed}, start HAVING sum(number) <> 0;\n'
        f'RETURN NULL;\n'
        f'END $$'
    )
    named = ' '.join(f'{side} TABLE AS {side.lower()}_rows' for side in counts)
    yield (
        f'CREATE TRIGGER {name} AFTER {operation} ON {table} REFERENCING {named}'
        f' FOR EACH STATEMENT EXECUTE FUNCTION {name}()'
    )


def _sqlite(table, time, columns, operation, counts):
    watched = [*columns, time]
    moved = ' OR '.join(f'OLD.{column} IS NOT NEW.{column}' for column in watched)
    is_update = operation == 'UPDATE'
    happening = f'UPDATE OF {", ".join(watched)}' if is_update else operation
    additions = '\n'.join(
        f'INSERT INTO {table}_tally ({", ".join(columns)}, span, start, number) VALUES ('
        + ', '.join(f'{side}.{column}' for column in columns)
        + f', 0, CAST({side}.{time} AS INTEGER) / 3600 * 3600, {count});'
        for side, count in counts.items()
    )
    yield (
        f'CREATE TRIGGER {table}_tally_{operation.lower()} AFTER {happening} ON {table}'
        + (f' WHEN {moved}' if is_update else '')
        + f'\nBEGIN\n{additions}\nEND'
    )


def _count(table, time, columns):
    listed = ', '.join(columns)
    for span, length in SPANS.items():
        start = f'{_whole(time)} / {length} * {length}' if length else '0'
        op.execute(
            f'INSERT INTO {table}_tally ({listed}, span, start, number)'
            f' SELECT {listed}, {span}, {start} AS start, count(*) FROM {table}'
            f' GROUP BY {listed}' + (f', {start}' if length else '')
        )


def downgrade() -> None:
    _stop_writers()
    for table in TALLIES:
        for operation in OPERATIONS:
            name = f'{table}_tally_{operation.lower()}'
            if _is_postgresql():
                op.execute(f'DROP TRIGGER {name} ON {table}')
                op.execute(f'DROP FUNCTION {name}()')
            else:
                op.execute(f'DROP TRIGGER {name}')
        op.drop_table(f'{table}_tally')
    for name, table, columns in REPLACED:
        op.create_index(name, table, columns)
    op.drop_index('ix_postback_trouble', table_name='postback')
    for name, table, _ in INDEXES:
        op.drop_index(name, table_name=table)
