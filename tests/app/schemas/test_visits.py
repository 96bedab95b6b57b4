"""What track/* takes from a server, under AdTarget's names."""

import pytest
from marshmallow import ValidationError

from app.domain.clicks.page_visit import IDS, UTM
from app.schemas.visits import FbpAdd, VisitAdd


def test_every_name_that_a_report_may_have_is_taken():
    names = {field.data_key or name for name, field in VisitAdd().fields.items()}
    assert names >= {*IDS, *UTM, "href", "tempId", "clientIp", "userAgent", "externalUserId"}


def test_a_visit_needs_the_address_of_its_page():
    with pytest.raises(ValidationError) as caught:
        VisitAdd().load({"tempId": "x"})
    assert list(caught.value.messages_dict) == ["href"]


def test_an_fbp_needs_the_browser_that_it_belongs_to():
    with pytest.raises(ValidationError) as caught:
        FbpAdd().load({})
    assert set(caught.value.messages_dict) == {"tempId", "fbp"}
