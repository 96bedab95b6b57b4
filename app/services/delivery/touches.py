"""What is known of the clicks behind claimed postbacks.

A stored event names its click and no more. Each try reads the rest with its claim, so that what
was purged or erased in the meantime goes to nobody, however long the postback has waited.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import Connection, Row, Text, select, type_coerce

from app.crypto import cipher
from app.database.rows import fetch_rows, rows_table
from app.domain import events
from app.domain.attribution import NO_ORIGIN, How
from app.models import Click, Source, table_of
from app.models.base import Big
from app.services.delivery.targets import DestinationResolver
from app.services.postbacks import ClaimedPostback
from plugins.kit.platforms.meta_ids import fbc_of

_CLICKS: Final = table_of(Click)
_SOURCES: Final = table_of(Source)
_NAMES: Final = ("postback", "account", "source", "click")
#: The columns of a click that are fields of a touch as they are.
_PLAIN: Final = {"token": "click_token", "landing": "landing", "referrer": "referrer"}
_SEALED: Final = ("ip", "ua")
_NOTHING: Final[Mapping[str, str]] = {}


class _Touch(NamedTuple):
    """What was read for one postback: how its person came, and the row of source and click."""

    how: How
    row: Row[Any] | None


class Touches:
    """Reads the clicks of postbacks with their claim, and gives each adapter what it asks for."""

    def __init__(self, resolver: DestinationResolver) -> None:
        self._resolver = resolver
        self._touches: dict[int, _Touch] = {}

    def read(self, connection: Connection, claimed: Sequence[ClaimedPostback]) -> None:
        """Read what is kept of the clicks of `claimed`, by one statement; none if none is named.

        What was read before and not taken is forgotten.
        """
        self._touches.clear()
        origins = {
            postback.id: (postback.account_id, origin)
            for postback in claimed
            if self._resolver.may_ask_for_touch(postback.tracker, postback.settings)
            and (origin := events.origin_of(postback.event)) != NO_ORIGIN
        }
        self._touches = {id_: _Touch(origin.how, None) for id_, (_, origin) in origins.items()}
        rows = [
            (id_, account, origin.source_id, origin.click_id)
            for id_, (account, origin) in origins.items()
            if origin.source_id is not None
        ]
        if rows:
            for row in fetch_rows(connection, _clicks_of, _NAMES, rows):
                self._touches[row.postback] = _Touch(origins[row.postback][1].how, row)

    def take(self, postback: int, names: Collection[str]) -> Mapping[str, str]:
        """Return what is known of the fields `names` for a postback that was read."""
        touch = self._touches.pop(postback, None)
        if touch is None or not names:
            return _NOTHING
        fields = _fields(touch)
        if touch.row is not None:
            sealed = {name: getattr(touch.row, name) for name in _SEALED if name in names}
            fields |= {name: cipher.decrypt_or_none(text) or "" for name, text in sealed.items()}
        return {name: value for name, value in fields.items() if value and name in names}


@cache
def _clicks_of(postgresql: bool) -> Any:
    """Select the source and, while it is kept, the click of rows; none of another account's."""
    data = rows_table(postgresql, dict.fromkeys(_NAMES, Big))
    click = _CLICKS.c
    sealed = [type_coerce(click[name], Text).label(name) for name in _SEALED]
    return (
        select(
            data.c.postback,
            _SOURCES.c.code.label("source"),
            *(click[name] for name in ("created", "country", "ids", "utm", "subs", "ad", *_PLAIN)),
            *sealed,
        )
        .select_from(data)
        .join(
            _SOURCES,
            (_SOURCES.c.id == data.c.source) & (_SOURCES.c.account_id == data.c.account),
        )
        .outerjoin(
            _CLICKS,
            (click.id == data.c.click)
            & (click.source_id == data.c.source)
            & (click.account_id == data.c.account),
        )
    )


def _fields(touch: _Touch) -> dict[str, str]:
    """All fields of a touch but the sealed ones."""
    row = touch.row
    fields = {"how": touch.how.label, "source": row.source if row else ""}
    if row is None or row.created is None:  # only the source is known, or the click was deleted
        return fields
    ids = orjson.loads(row.ids)
    ad = {"ad_campaign_id" if name == "campaign_id" else name: value
          for name, value in orjson.loads(row.ad).items()}  # fmt: skip
    return {
        **ids,
        **orjson.loads(row.subs),
        **ad,
        **{f"utm_{name}": value for name, value in orjson.loads(row.utm).items()},
        **{field: getattr(row, column) for column, field in _PLAIN.items()},
        "country": row.country,
        "click_time": str(row.created),
        "fbc": fbc_of(ids.get("fbc", ""), ids.get("fbclid", ""), row.created * 1000),
        **fields,
    }
