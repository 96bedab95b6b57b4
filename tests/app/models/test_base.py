"""What all models share: encrypted text, 64-bit keys on both databases, names of constraints."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from app.crypto import CannotDecrypt
from app.extensions import db
from app.models import Account, Bot, Lead, table_of
from app.models.base import Base, Big, Encrypted


@settings(max_examples=20)
@given(text=st.text())
def test_what_is_encrypted_on_the_way_in_is_the_same_on_the_way_out(app_once, text):
    column = Encrypted()
    stored = column.process_bind_param(text, None)
    assert stored != text
    assert column.process_result_value(stored, None) == text


@pytest.fixture(scope="module")
def app_once(_application):
    """The cipher has a key once an application was made."""
    return _application


def test_nothing_is_encrypted_as_nothing(app):
    assert Encrypted().process_bind_param(None, None) is None
    assert Encrypted().process_result_value(None, None) is None
    with pytest.raises(CannotDecrypt):
        Encrypted().process_result_value("stored in clear", None)


def test_an_encrypted_column_cannot_be_searched(app, world):
    bot = world.bot(token="1:s3cret")
    assert db.session.get_one(Bot, bot).token == "1:s3cret"
    assert db.session.scalars(select(Bot.id).where(Bot.token == "1:s3cret")).all() == []


def test_a_key_has_64_bits_on_both_databases(app, world):
    assert Big.compile(dialect=postgresql.dialect()) == "BIGINT"
    assert Big.compile(dialect=sqlite.dialect()) == "INTEGER"
    number = 2**62
    world.lead(world.campaign(), id=number, subscriber=number + 1, start_time=number)
    row = db.session.get_one(Lead, number)
    assert (row.subscriber, row.start_time) == (number + 1, number)


def test_constraints_are_named_so_that_a_migration_can_name_them():
    table = Table(
        "thing",
        MetaData(naming_convention=Base.metadata.naming_convention),
        Column("id", Integer, primary_key=True),
        Column("other_id", ForeignKey("other.id")),
        Column("a", Integer),
        Column("b", Integer),
        UniqueConstraint("a", "b"),
        CheckConstraint("a > 0", name="positive"),
    )
    Index(None, table.c.a, table.c.b)
    names = {str(one.name) for one in (*table.constraints, *table.indexes)}
    assert names == {
        "pk_thing", "fk_thing_other_id_other", "uq_thing_a_b", "ck_thing_positive", "ix_thing_a_b",
    }  # fmt: skip


def test_the_table_of_a_model_is_the_one_that_its_rows_are_in():
    assert table_of(Account) is Base.metadata.tables["account"]
