"""A source lives until it is deleted, and a token names one click."""

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.extensions import db
from app.models import Source, SourceStatus


@pytest.mark.parametrize("status", SourceStatus)
def test_python_and_sql_agree_on_what_is_living(app, world, status):
    source = world.source(world.campaign(), status=status)
    found = db.session.scalars(select(Source.id).where(Source.living)).all()
    assert (source in found) is db.session.get_one(Source, source).living
    assert (source in found) is (status is not SourceStatus.DELETED)


def test_no_two_clicks_have_one_token(app, world):
    source = world.source(world.campaign())
    world.click(source, token="a1B2c3D4e5F6g7H8")
    with pytest.raises(IntegrityError):
        world.click(source, token="a1B2c3D4e5F6g7H8")
