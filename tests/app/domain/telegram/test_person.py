from typing import Any

import pytest

from app.domain.telegram.fields import InvalidField
from app.domain.telegram.person import Person, read_person

ANNA: dict[str, Any] = {"id": 7, "is_bot": False, "first_name": "Anna"}


def test_a_user_is_read_with_what_telegram_tells() -> None:
    more = {"last_name": "Low", "username": "anna", "language_code": "en", "is_premium": True}
    expected = Person(7, "anna", "Anna", "Low", "en", premium=True)
    assert read_person({"from": ANNA | more}, "from") == expected


def test_odd_names_are_empty_and_an_odd_flag_is_no_flag() -> None:
    odd = {"last_name": 5, "username": None, "language_code": ["en"], "is_premium": "yes"}
    assert read_person({"user": ANNA | odd}, "user") == Person(7, first_name="Anna")


@pytest.mark.parametrize("user", [None, "anna", ANNA | {"id": "7"}, ANNA | {"is_bot": True}])
def test_what_is_no_person_is_refused(user: Any) -> None:
    with pytest.raises(InvalidField, match=r"\w"):
        read_person({"from": user}, "from")
