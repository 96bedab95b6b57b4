"""A welcome as a person would see it: its text in pieces, each in one style."""

from typing import NamedTuple

from app.domain import welcome
from app.domain.media.limits import CAPTION
from app.services.trackers.sample_event import sample_event
from plugins.contract import EventKind


class Piece(NamedTuple):
    """Text of one style: the `type` of its MessageEntity, "" for none. `url` is a link's."""

    text: str
    style: str = ""
    url: str = ""


class Preview(NamedTuple):
    """A message for a sample person. `button_url` is "" without a button that can be shown."""

    pieces: list[Piece]
    fault: str
    button_url: str


def preview(template: str, *, title: str, code: str, button_url: str, has_media: bool) -> Preview:
    """Fill in a welcome for a sample person of the campaign with this title and code."""
    event = sample_event(
        EventKind.WAIT,
        title=title,
        campaign=code,
        first_name="Anna",
        username="anna",
        click="abc123",
    )
    limit = CAPTION if has_media else welcome.MAX_TEXT
    message = welcome.render(template, event, limit)
    url = ""
    if button_url.strip():
        try:
            url = welcome.button_url(button_url.strip(), event)
        except ValueError:
            url = ""
    return Preview(split(message.text, message.entities), message.fault, url)


def split(text: str, entities: list[dict[str, object]]) -> list[Piece]:
    """Cut a text at its entities, which count UTF-16 code units and do not nest."""
    units, pieces, at = text.encode("utf-16-le", "surrogatepass"), [], 0
    for entity in sorted(entities, key=lambda entity: int(str(entity["offset"]))):
        start = int(str(entity["offset"])) * 2
        end = start + int(str(entity["length"])) * 2
        pieces.append(Piece(_text(units[at:start])))
        url = str(entity.get("url", ""))
        shown = url if url.startswith(("http://", "https://")) else ""
        pieces.append(Piece(_text(units[start:end]), str(entity["type"]), shown))
        at = end
    pieces.append(Piece(_text(units[at:])))
    return [piece for piece in pieces if piece.text]


def _text(units: bytes) -> str:
    return units.decode("utf-16-le", "replace")
