"""Kinds of events by their names."""

import pytest

from plugins.kinds import ALL_KINDS, ConversionKind, EventKind, kind_named


def test_no_two_kinds_have_one_name():
    assert len({kind.value for kind in ALL_KINDS}) == len(EventKind) + len(ConversionKind)


@pytest.mark.parametrize("name", ["", "deposit", "WAIT", "None"])
def test_another_name_is_no_kind(name):
    with pytest.raises(ValueError, match="is not a valid"):
        kind_named(name)
