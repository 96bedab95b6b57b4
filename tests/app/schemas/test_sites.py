"""What sites/* takes."""

import pytest
from marshmallow import ValidationError

from app.domain.clicks.privacy import Consent
from app.schemas.sites import SiteAdd, SiteEdit


@pytest.mark.parametrize(
    "domains", [["a.example", "b.example"], '["a.example", "b.example"]'], ids=["list", "text"]
)
def test_domains_are_a_list_or_a_text(domains):
    assert SiteAdd().load({"domains": domains})["domains"] == ["a.example", "b.example"]


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("domains", 5),
        ("domains", [5]),
        ("domains", ["x" * 300]),
        ("domains", ["a\x00b"]),
        ("domains", "[1"),
        ("source", -1),
        ("capture", 16),
        ("consent", "maybe"),
    ],
)
def test_each_field_has_its_bound(field, bad):
    with pytest.raises(ValidationError) as caught:
        SiteEdit().load({"id": 1, field: bad})
    assert list(caught.value.messages_dict) == [field]


def test_consent_is_a_word():
    assert SiteEdit().load({"id": 1, "consent": "required"})["consent"] == Consent.REQUIRED
