"""Fields of media/*."""

from typing import IO, Final

from flask import request

from app.errors import BadParameter, translatable
from app.schemas import fields
from app.schemas.base import Input, Output
from app.schemas.pagination import LimitedList
from app.schemas.parsing import UnreadableBody

#: What a multipart body needs around its file.
FRAME: Final = 64 * 1024
CODE: Final = r"[A-Za-z0-9_-]+"


def uploaded_file(most: int) -> IO[bytes]:
    """The `file` of a multipart body of at most `most` bytes.

    Raises BadParameter, TooLarge, or UnreadableBody for one that does not say how long it is: an
    upload is long, and of the chunked coding each byte may cost what else a piece of 64 KB does.
    """
    if request.content_length is None:
        raise UnreadableBody(translatable("an upload must say how long it is, by Content-Length"))
    request.max_content_length = most + FRAME
    file = request.files.get("file")
    if file is None:
        raise BadParameter("file", translatable("is required, as multipart/form-data"))
    return file.stream


class MediaOut(Output):
    """`media/upload`: what `media` of a campaign takes."""

    media = fields.Text()


class MediaRow(MediaOut):
    """A row of `media/list`. `used`: a campaign shows it, so it cannot be deleted."""

    type = fields.Text()
    size = fields.Int()
    created = fields.UtcText()
    used = fields.Boolean()


class MediaList(LimitedList):
    """`before` is the last code of the previous page."""

    before = fields.Text(64, pattern=CODE)


class MediaChosen(Input):
    """Which media."""

    media = fields.Text(64, pattern=CODE, required=True)
