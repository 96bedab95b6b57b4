"""Networks are read from lists and from text, and kept in one spelling."""

import pytest
from marshmallow import ValidationError

from app.schemas.event_keys import Addresses


@pytest.mark.parametrize(
    ("value", "networks"),
    [
        ([], []),
        ("", []),
        ("192.0.2.1", ["192.0.2.1/32"]),
        ("192.0.2.7/24, 2001:DB8::/32", ["192.0.2.0/24", "2001:db8::/32"]),
        (["10.0.0.0/8"], ["10.0.0.0/8"]),
    ],
)
def test_networks_are_kept_in_one_spelling(value, networks):
    assert Addresses().deserialize(value) == networks


@pytest.mark.parametrize("value", ["here", ["192.0.2.1/33"], [1], 5, {}, ["192.0.2.1"] * 51])
def test_what_is_no_network_is_refused(value):
    with pytest.raises(ValidationError):
        Addresses().deserialize(value)


def test_stored_networks_are_shown_as_a_list():
    assert Addresses().serialize("a", {"a": '["10.0.0.0/8"]'}) == ["10.0.0.0/8"]
