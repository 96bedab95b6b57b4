"""Fields of blocked/*."""

from typing import Final

from app.schemas import fields
from app.schemas.base import Input, Output
from app.schemas.pagination import LimitedList

LONGEST_LIST: Final = 16_000


class BlockedList(LimitedList):
    """Which page; `before` is the last id of the page before it."""

    class Meta(LimitedList.Meta):
        """Options of marshmallow."""

        exclude = ("since", "until")

    before = fields.Int(1)


class BlockedAdd(Input):
    """A person: their Telegram id, or their username."""

    person = fields.Text(65, not_empty=True, required=True)
    reason = fields.Text(200, load_default="")


class BlockedImport(Input):
    """Lines of `id`, `@username` or `id,username,reason`."""

    csv = fields.Text(LONGEST_LIST, not_empty=True, required=True)


def _text_or_empty(value: object) -> str:
    return "" if value is None else str(value)


class BlockedOut(Output):
    """A blocked person. After `leads/erase` both `subscriber` and `username` are empty."""

    id = fields.Int()
    subscriber = fields.Int(null_as=0)
    username = fields.ShownText(_text_or_empty)
    reason = fields.Text()
    created = fields.UtcText()


class BlockedCsv(Output):
    """A line of `blocked/export`, which `blocked/import` takes."""

    subscriber = fields.ShownText(_text_or_empty)
    username = fields.ShownText(_text_or_empty)
    reason = fields.Text()


class Added(Output):
    """How many people were not blocked yet."""

    count = fields.Int()
