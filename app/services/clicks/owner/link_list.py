"""All links of a source, for its owner: for ads, to the bot, and the one that all share."""

import io
import time
from typing import Final, NamedTuple

import segno

from app.errors import NotFound
from app.services.clicks import lookup, sources
from app.services.clicks.invites import pool

#: Units of a drawn code for each of its squares; being a drawing it has any size.
SCALE: Final = 8
BORDER: Final = 4


class SourceLinkRow(NamedTuple):
    """A link of some `kind`: source, start or named. `qr` is an SVG, or ""."""

    kind: str
    link: str
    tracker: str = ""
    macro: str = ""
    qr: str = ""


def listed(account_id: int, source_id: int, *, qr: bool = False) -> list[SourceLinkRow]:
    """Return the links of a source. With `qr` those that need no macro filled in have a QR code.

    Raises NotFound, also without a PUBLIC_URL.
    """
    rows = [
        SourceLinkRow("source", row.link, row.tracker, row.macro)
        for row in sources.make_links(account_id, source_id)
    ]
    rows += _telegram_links(sources.find(account_id, source_id).code)
    if not qr:
        return rows
    return [row if row.macro else row._replace(qr=drawn(row.link)) for row in rows]


def drawn(text: str) -> str:
    """Return a QR code of `text` as an SVG that stands for itself."""
    drawing = io.BytesIO()
    code = segno.make(text, error="m", micro=False)
    code.save(drawing, kind="svg", scale=SCALE, border=BORDER, light="#fff", xmldecl=False)
    return drawing.getvalue().decode().strip()


def _telegram_links(code: str) -> list[SourceLinkRow]:
    """The links that lead to Telegram at once; none where the bot or the campaign is gone."""
    try:
        source = lookup.find_source(code, time.time())
    except NotFound:
        return []
    start = f"https://t.me/{source.username}?start={source.campaign_code}"
    rows = [SourceLinkRow("start", start)]
    named = pool.named_link(source)
    return [*rows, SourceLinkRow("named", named.link)] if named else rows
