"""A Telegram user, as updates describe one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.telegram.fields import InvalidField, get_int, get_object, get_text


@dataclass(frozen=True, slots=True)
class Person:
    """A Telegram user. Texts are sanitized and fit the columns of `models.Lead`."""

    id: int
    username: str = ""
    first_name: str = ""
    last_name: str = ""
    language: str = ""
    premium: bool = False


def read_person(parent: Mapping[str, Any], name: str) -> Person:
    """Read the user under `name`. Raises InvalidField, also for a bot."""
    user = get_object(parent, name)
    if user.get("is_bot") is True:
        raise InvalidField("a bot, not a person")
    return Person(
        id=get_int(user, "id"),
        username=get_text(user, "username", 64),
        first_name=get_text(user, "first_name", 64),
        last_name=get_text(user, "last_name", 64),
        language=get_text(user, "language_code", 16),
        premium=user.get("is_premium") is True,
    )
