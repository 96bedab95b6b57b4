"""Derived UUIDs, beside those of the standard library."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from plugins.uuids import uuid5_text

# Half a surrogate pair has no UTF-8: both raise.
names = st.text(st.characters(exclude_categories=["Cs"]))


@given(namespace=st.uuids(), name=names)
def test_it_is_the_uuid5_of_the_standard_library(namespace: uuid.UUID, name: str):
    assert uuid5_text(namespace, name) == str(uuid.uuid5(namespace, name))
