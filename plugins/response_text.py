"""The body of an answer as text, in whatever charset a server wrote it, and what is a web page."""

from __future__ import annotations

import codecs
import json
import re
from typing import Final

#: How a page of HTML begins: comments, each taken whole once, then a tag that only pages have.
_HTML_PAGE: Final = re.compile(
    r"\s*+(?:(?><!--.*?-->)\s*+)*+(?:<\?xml[^>]*>\s*+)?"
    r"<(?:!doctype\s+html|html|head|body|title|meta|script|style|div)(?=[\s>])",
    re.IGNORECASE | re.DOTALL,
)
#: Byte order marks; that of UTF-32 begins with that of UTF-16.
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
#: Charsets that a server may name. Other codecs of Python are no charsets, and some are slow.
_CHARSET: Final = re.compile(
    r";\s*charset\s*=\s*[\"']?(us-ascii|latin-?1|iso-?8859-\d{1,2}|windows-125\d|cp\d{3,4}|koi8-[ru]"
    r"|gbk|gb2312|gb18030|big5|euc-jp|euc-kr|shift_jis|iso-2022-jp|macroman|mac-cyrillic)\b",
    re.IGNORECASE,
)
_PAGE_BEGIN: Final = 4096


def decode(body: bytes, content_type: str) -> str:
    """Return the text without a byte order mark, whatever the bytes.

    A mark or the zeros of UTF-16 and UTF-32 decide, then the charset of
    `content_type`, else it is UTF-8.
    """
    for mark, charset in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(charset, "replace")
    if b"\0" in body[:4]:
        return body.decode(json.detect_encoding(body), "replace")
    named = _CHARSET.search(content_type)
    try:
        return body.decode(named[1] if named else "utf-8", "replace")
    except LookupError:  # cp999 and the like
        return body.decode("utf-8", "replace")


def is_page(text: str) -> bool:
    """Whether `text` begins as a page of HTML does: a login, a panel, a notice."""
    return _HTML_PAGE.match(text[:_PAGE_BEGIN]) is not None
