"""The body of an answer as text, in whatever charset a server wrote it, and what is no answer.

A server in front of a tracker, or the tracker's own program when it fails, answers with a
page, with messages of PHP, or with bytes that nobody can read. PHP calls every answer
text/html that does not say otherwise, so the body is looked at and never the header alone:

* Any element of HTML anywhere in a text makes it a page. Comments are left out first, as are
  PHP's notices and warnings, behind which the answer itself may stand. JSON is no page
  whatever stands in its values, and a picture is none either.
* A fatal error of PHP, or notices with nothing behind them, are no answer.
* JSON that breaks off, white space without an end and bytes that are no text are none.
"""

import codecs
import enum
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

#: The elements of HTML, those that browsers have dropped too. What is missing here is XML's.
_ELEMENTS: Final = (
    "a|abbr|acronym|address|applet|area|article|aside|audio|b|base|basefont|bdo|big|blink"
    "|blockquote|body|br|button|canvas|center|cite|code|col|colgroup|dd|del|details|dialog|dir"
    "|div|dl|dt|em|embed|fieldset|figcaption|figure|font|footer|form|frame|frameset|h[1-6]|head"
    "|header|hgroup|hr|html|i|iframe|img|input|ins|kbd|label|legend|li|link|main|map|mark"
    "|marquee|menu|meta|nav|nobr|noframes|noscript|object|ol|optgroup|option|p|picture|pre|q|s"
    "|samp|script|section|select|small|source|span|strike|strong|style|sub|sup|svg|table|tbody"
    "|td|template|textarea|tfoot|th|thead|title|tr|tt|u|ul|var|video"
)
_PAGE: Final = re.compile(rf"<(?:!doctype\s+html|/?(?:{_ELEMENTS})(?=[\s/>]))", re.IGNORECASE)
#: A text that begins with an element of another language, whose names may be HTML's too.
_XML: Final = re.compile(
    rf"\s*+(?:<\?xml\b[^>]*>\s*+)?<(?!(?:{_ELEMENTS})[\s/>])[a-z][\w:.-]*+[\s/>]", re.IGNORECASE
)
#: Line breaks behind a word, as simple programs write them.
_LAST_BREAKS: Final = re.compile(r"(\A\s*+[\w.!]{1,16})\s*+(?:<br\s*+/?>\s*+)+\Z", re.IGNORECASE)
#: How a message of PHP begins and ends, with the marks of `html_errors` or without. They are looked
#: for apart: in one expression each beginning would look for an end of its own.
_PHP_BEGIN: Final = re.compile(
    r"(?:<br\s*/?>\s*+)?(?:<b>)?(?:PHP )?"
    r"(?:(?:(?:Catchable |Recoverable )?fatal|parse) error|warning|notice|deprecated"
    r"|strict standards)(?:</b>)?:\s",
    re.IGNORECASE,
)
_PHP_END: Final = re.compile(r"\bon line (?:<b>)?\d+(?:</b>)?(?:\s*+<br\s*/?>)?", re.IGNORECASE)
#: Characters between the two, in one line.
_LONGEST_MESSAGE: Final = 2000
#: How often messages are left out of what others have left.
_TIMES: Final = 3
_FATAL: Final = re.compile(
    r"(?:<b>)?(?:PHP )?(?:(?:Catchable |Recoverable )?fatal|parse) error(?:</b>)?:\s", re.IGNORECASE
)
#: How JSON begins that carries names or objects; "[x]" and "{x}" are plain text.
_JSON: Final = re.compile(r'\s*+(?=(?:\{\s*+["}]|\[\s*+[\[{"\]]))')
#: What no text holds: control characters but white space, NUL and escape.
_BINARY: Final = re.compile(r"[\x01-\x08\x0e-\x1a\x1c-\x1f]")
#: Pixels: GIF, PNG, JPEG, WebP and icons.
PICTURES: Final = (b"GIF8", b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"\0\0\1\0")
#: Answers whose text and fault are cached: each is asked for some ten times, and most trackers
#: say the same word to all.
_CACHED: Final = 32
#: Characters of white space that no answer consists of.
_MUCH: Final = 4096
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


class Fault(enum.Enum):
    """Why a body is no answer of a tracker's."""

    CODING = enum.auto()  #: it is packed in a way that could not be undone
    PAGE = enum.auto()  #: a page of HTML
    PROGRAM = enum.auto()  #: messages of PHP and nothing else
    BROKEN = enum.auto()  #: JSON that breaks off
    BLANK = enum.auto()  #: much white space and nothing else
    BINARY = enum.auto()  #: neither a text nor a picture


@lru_cache(maxsize=_CACHED)
def decode(body: bytes, content_type: str) -> str:
    """Return the text without a byte order mark, whatever the bytes.

    A mark or the zeros of UTF-16 and UTF-32 decide, then the charset of
    `content_type`, else it is UTF-8. White space and further marks before it are left out.
    """
    for mark, charset in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(charset, "replace").lstrip("\ufeff")
    if b"\0" in body[:4]:
        return body.decode(json.detect_encoding(body), "replace")
    named = _CHARSET.search(content_type)
    try:
        text = body.decode(named[1] if named else "utf-8", "replace")
    except LookupError:  # cp999 and the like
        text = body.decode("utf-8", "replace")
    return text.lstrip("\ufeff \t\r\n") if "\ufeff" in text[:64] else text


def fault_of(body: bytes, headers: Mapping[str, str]) -> Fault | None:
    """Why `body` is no answer of a tracker's; None if it may be one."""
    if headers.get("content-encoding", "").strip().lower() not in ("", "identity"):
        return Fault.CODING
    return _fault_of_body(body, headers.get("content-type", ""))


@lru_cache(maxsize=_CACHED)
def _fault_of_body(body: bytes, content_type: str) -> Fault | None:
    if not body or body.startswith(PICTURES):
        return None
    text = decode(body, content_type)
    if len(text) >= _MUCH and not text.strip("\ufeff\0 \t\r\n\f\v"):
        return Fault.BLANK
    if _BINARY.search(text):
        return Fault.BINARY
    return _fault_of_text(text)


def is_binary(body: bytes) -> bool:
    """Whether `body` is neither a text nor a picture, as `fault_of` judges it."""
    return not body.startswith(PICTURES) and bool(_BINARY.search(decode(body, "")))


def _fault_of_text(text: str) -> Fault | None:
    """Why a text is no answer; whatever stands behind JSON that is not empty is left out.

    Its time grows with the length of the text only.
    """
    for _ in range(_TIMES):
        at = 0
        while begun := _JSON.match(text, at):
            try:
                value, at = json.JSONDecoder().raw_decode(text, begun.end())
            except (ValueError, RecursionError):
                return Fault.BROKEN
            if value:
                return None
        text = text[at:]
        if "rror" in text and _FATAL.search(text):
            return Fault.PROGRAM
        bare = _without_messages(text) if "on line" in text else text
        if bare == text:
            break
        if not bare.strip():
            return Fault.PROGRAM
        text = bare
    return _fault_of_markup(text) if "<" in text else None


def _fault_of_markup(text: str) -> Fault | None:
    text = _LAST_BREAKS.sub(r"\1", _without_comments(text))
    # A comment without an end has swallowed what was to come.
    is_page = text.lstrip().startswith("<!--") or (not _XML.match(text) and _PAGE.search(text))
    return Fault.PAGE if is_page else None


def _without_messages(text: str) -> str:
    """`text` without the messages of PHP, each of which is in a line of its own."""
    pieces, at, begin, end = [], 0, _PHP_BEGIN.search(text), _PHP_END.search(text)
    while begin:
        first = begin.end()
        while end and end.start() < first:
            end = _PHP_END.search(text, end.end())
        if end is None:
            break
        last = end.start()
        if last - first <= _LONGEST_MESSAGE and "\n" not in text[first:last]:
            pieces.append(text[at : begin.start()])
            first = at = end.end()
        begin = _PHP_BEGIN.search(text, first)
    return "".join([*pieces, text[at:]])


def _without_comments(text: str) -> str:
    """`text` without its whole comments; in time that grows with its length only."""
    pieces, position = [], 0
    while (start := text.find("<!--", position)) >= 0:
        end = text.find("-->", start + 4)
        if end < 0:
            break
        pieces.append(text[position:start])
        position = end + 3
    return "".join([*pieces, text[position:]])
