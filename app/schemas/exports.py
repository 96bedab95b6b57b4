"""Fields of exports/*."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import orjson
from marshmallow import RAISE, ValidationError, post_load

from app.models import ExportKind, ExportState
from app.schemas import fields
from app.schemas.base import Input, Output
from app.schemas.destinations import Settings
from app.schemas.journal import JournalFilter
from app.schemas.leads import LeadsExport
from app.schemas.postbacks import PostbackFilter
from app.schemas.requests import RequestsFilter
from app.services.exports import prepared
from plugins.host import library_messages

#: By the first half of the endpoint that lists them: which list, and what it can be filtered by.
LISTS: Final[Mapping[str, tuple[ExportKind, type[Input]]]] = {
    "leads": (ExportKind.LEADS, LeadsExport),
    "postbacks": (ExportKind.DELIVERIES, PostbackFilter),
    "journal": (ExportKind.JOURNAL, JournalFilter),
    "requests": (ExportKind.REQUESTS, RequestsFilter),
}
_WORDS: Final = {kind: word for word, (kind, _) in LISTS.items()}


class ExportAdd(Input):
    """Which list, and which of its rows: parameters of `leads/list`, `postbacks/list` and so on."""

    kind = fields.Choice(*LISTS, required=True)
    filters = Settings()

    @post_load
    def check_filters(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Read the filters as the list's own endpoint does, but refuse what is none of them.

        `query` is the same as a query of that endpoint.
        """
        kind, of_list = LISTS[data["kind"]]
        typed = data.get("filters", {})
        schema = of_list(unknown=RAISE)
        library_messages.make_translatable(schema)
        try:
            filters = schema.load(typed)
        except ValidationError as error:
            raise ValidationError({"filters": error.messages}) from None
        asked = {name: _text(value) for name, value in typed.items()}
        return {"kind": kind, "filters": filters, "query": urlencode(asked)}


class ExportAdded(Output):
    """`exports/add`."""

    id = fields.Int()


class Until(fields.UtcText):
    """When a file that was asked for at that time is deleted."""

    def _show(self, value: Any) -> str:
        return super()._show(value + prepared.KEPT_SECONDS)


def word_of(kind: int) -> str:
    """Return which list a file has: the first half of the endpoint that lists it."""
    return _WORDS[ExportKind(kind)]


class ExportOut(Output):
    """A row of `exports/list`. `kind` is leads, postbacks, journal or requests.

    `query` has the filters, as a query.
    `rows` are those that are written, of about `estimate`, which is 0 where they were not counted.
    `cut`: the file is too long and ends early. It is deleted at `until`.
    """

    id = fields.Int()
    kind = fields.ShownText(word_of)
    query = fields.Text()
    state = fields.EnumName(ExportState)
    rows = fields.Int()
    estimate = fields.Int(null_as=0)
    cut = fields.Boolean(attribute="is_cut")
    created = fields.UtcText()
    ended = fields.UtcText()
    until = Until(attribute="created", dump_only=True)


def _text(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
