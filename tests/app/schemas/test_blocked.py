"""What blocked/* takes, and how an entry is shown."""

import pytest
from marshmallow import ValidationError

from app.schemas.blocked import BlockedAdd, BlockedImport, BlockedOut


@pytest.mark.parametrize(
    ("schema", "body", "field"),
    [
        (BlockedAdd, {"person": ""}, "person"),
        (BlockedAdd, {"person": "7", "reason": "x" * 201}, "reason"),
        (BlockedImport, {"csv": ""}, "csv"),
        (BlockedImport, {}, "csv"),
    ],
)
def test_what_names_nobody_is_refused(schema, body, field):
    with pytest.raises(ValidationError) as caught:
        schema().load(body)
    assert list(caught.value.messages_dict) == [field]


def test_an_erased_person_has_neither_id_nor_name():
    assert BlockedOut().dump({"subscriber": None, "username": None}) == {
        "subscriber": 0, "username": "",
    }  # fmt: skip
