"""The parameters that all long lists have in common."""

from typing import Any, Final

from marshmallow import post_load

from app.schemas import fields
from app.schemas.base import Input

MOST_ROWS: Final = 200


class Period(Input):
    """A range of time in Unix seconds; both ends belong to it."""

    since = fields.Int(data_key="from")
    until = fields.Int(data_key="to")


class OptionalPage(Input):
    """Which part of a list; all of it without `limit`."""

    limit = fields.Int(1)
    offset = fields.Int(0, load_default=0)


class LimitedList(Period):
    """So many rows of a list. A `limit` above 200 is not refused but lowered to 200."""

    limit = fields.Int(1, load_default=50)
    offset = fields.Int(0, load_default=0)

    @post_load
    def cut(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Lower `limit`, so that clients written for other limits go on working."""
        return {**data, "limit": min(data["limit"], MOST_ROWS)}


class Page(LimitedList):
    """Which page of a long list; `before` is the last id of the page before it."""

    before = fields.Int(1)
