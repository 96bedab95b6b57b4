"""Fields of media/*."""

from __future__ import annotations

from typing import IO, Final

from flask import request

from app.errors import BadParameter, translatable
from app.schemas import fields
from app.schemas.base import Output

#: What a multipart body needs around its file.
FRAME: Final = 64 * 1024


def uploaded_file(most: int) -> IO[bytes]:
    """The `file` of a multipart body of at most `most` bytes. Raises BadParameter or TooLarge."""
    request.max_content_length = most + FRAME
    file = request.files.get("file")
    if file is None:
        raise BadParameter("file", translatable("is required, as multipart/form-data"))
    return file.stream


class MediaOut(Output):
    """`media/upload`: what `media` of a campaign takes."""

    media = fields.Text()
