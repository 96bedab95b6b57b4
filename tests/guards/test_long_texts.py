"""What reads the words of strangers, trackers and customers is done with a megabyte of them.

Most is limited before it is read; this is what holds if a limit is forgotten. What costs the
square of a text's length takes minutes for one of these, and what costs its length parts of a
second. So each has a minute of this process's own time, and a reader that wants more is stopped
where it is: the traceback shows the line. How long the others take is not looked at.
"""

import contextlib
import signal
import string
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from typing import Any, Final

import pytest
from werkzeug.http import parse_accept_header, parse_cookie, parse_options_header

from app import logs
from app.domain import markdown, storable_text, welcome
from app.domain.clicks import (
    click_ids,
    link_query,
    marks,
    origins,
    page_visit,
    payloads,
)
from app.domain.conversions import dialects
from app.domain.conversions.report import InvalidReport
from app.domain.join_requests import blocklist
from app.domain.media import image_head
from app.domain.telegram import api_errors, init_data, links, updates
from app.domain.telegram.init_data import InitDataRefused
from app.errors import ApiError
from app.outbound import headers, unpacking
from app.schemas import parsing
from app.services.clicks.owner.site_check import find_tags
from app.services.trackers.sample_event import sample_event
from app.web.shares.addresses import sharer_behind
from plugins.contract import EventKind, Response, mask
from plugins.kit import failures, json_bodies, macros, url_spelling
from plugins.kit.platforms import meta_ids
from plugins.kit.secrets import typed
from plugins.kit.signs import characters, notations
from plugins.response_text import fault_of
from plugins.trackers import meta_capi

LENGTH: Final = 1_000_000
#: Seconds of the process's own time, which no other work on the machine uses up.
ENOUGH: Final = 60.0
PROXIES: Final = (ip_network("10.0.0.0/8"),)
EVENT: Final = sample_event(EventKind.APPROVE)
#: What is said again and again: what begins something that never ends, what ends what never
#: began, what is spelt anew, and what has no end.
PIECES: Final = (
    *("a", " ", "{click}", "[[", "**_", "a=1&", '{"a":', "<a ", "😀", "1-,", "%7B", "{a ", "a}"),
    *string.punctuation,
)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _answer(text: str, content_type: str = "application/json") -> Response:
    return Response(status=200, headers={"content-type": content_type}, body=_bytes(text))


def _started(text: str) -> object:
    """A person of this name sends /start and a text."""
    person = {"id": 1, "first_name": text, "username": text, "language_code": text}
    chat = {"id": 1, "type": "private"}
    message = {"message_id": 1, "date": 1, "chat": chat, "from": person, "text": f"/start {text}"}
    return updates.parse({"update_id": 1, "message": message})


def _visit(text: str) -> object:
    said = {"href": text, "referrer": text, "_fbp": text, "_fbc": text, "ids": {"a": text}}
    return page_visit.read(said, "click", {})


READERS: Final[dict[str, Callable[[str], Any]]] = {
    # Strangers: links of ads, pages of sites, headers.
    "the query of a link": lambda text: link_query.read(_bytes(text), "click", {}),
    "the address of a page": page_visit.page_address,
    "the host and path of a page": page_visit.host_and_path,
    "a visit": _visit,
    "an origin": origins.origin_host,
    "X-Forwarded-For": lambda text: sharer_behind("10.0.0.1", text, PROXIES),
    "a mark": marks.read_mark,
    "a click id": click_ids.is_unreplaced,
    "a cookie": parse_cookie,
    "a header with options": parse_options_header,
    "languages": parse_accept_header,
    "a form": lambda text: parsing.parse_pairs(_bytes(text)),
    "a JSON object": lambda text: parsing.is_deep(parsing.parse_object(_bytes(text))),
    "init data": lambda text: init_data.read_init_data(text, "1:x", 1.0),
    # People in Telegram, and Telegram.
    "a payload": payloads.split,
    "an update": lambda text: updates.parse(updates.decode(_bytes(text))),
    "a person and what they say": _started,
    "a fault of the Bot API": lambda text: api_errors.meaning(400, text),
    "a text to be stored": lambda text: storable_text.sanitize(text, 300),
    # Trackers' reports and answers.
    "a report": lambda text: dialects.read(
        {"event": text, "value": text, "currency": text, "tid": text, "time": text, "click": text}
    ),
    "a report's sum": lambda text: dialects.read(
        {"event": "purchase", "value": text, "tid": "1", "click": "c"}
    ),
    "a packed body": lambda text: unpacking.unpacked(_bytes(text), LENGTH, "gzip"),
    "a coding": lambda text: unpacking.unpacked(b"x", LENGTH, text),
    "a line of a header": lambda text: headers.received([_bytes(f"X: {text}")]),
    "a type of contents": lambda text: _answer("{}", text).json(),
    "objects of an answer": lambda text: json_bodies.json_objects(_answer(text)),
    "what is no answer": lambda text: fault_of(_bytes(text), {}),
    "a page of a site": lambda text: find_tags(text, "https://a.b/"),
    "an answer in JSON": lambda text: failures.stated_failure(_answer(text)),
    "Meta's answer": lambda text: meta_capi.classify_response(_answer(text), EVENT),
    "an answer with secrets": lambda text: mask(text, ("abcdefgh", "a" * 20)),
    "an answer with a cut secret": lambda text: typed.mask_cut(text, ("abcdefgh", "aaaaaaaaa")),
    # Customers.
    "a domain": origins.normalize_domain,
    "Markdown": markdown.parse_leniently,
    "a button": lambda text: welcome.button_url(text, EVENT),
    "a link": links.link_fault,
    "a list of the blocked": blocklist.parse,
    "a picture": lambda text: image_head.read_image_head(b"\xff\xd8" + _bytes(text)),
    "an address with macros": lambda text: macros.fill_url(f"https://a.b/?x={text}", EVENT),
    "a host with macros": lambda text: macros.fill_url(f"https://{text}/", EVENT),
    "an address": url_spelling.check_url,
    "secrets of an address": typed.secrets_of_url,
    "macros of others": notations.find,
    "what no screen shows": characters.first_unseen,
    "a pixel's id": meta_ids.is_fbc,
    # The log, which says all of it.
    "a line of the log": logs.mask,
}


REFUSALS: Final = (ValueError, LookupError, ApiError, InitDataRefused, InvalidReport)


class TooLong(Exception):
    """More of the process's time was used than any text is worth."""


@pytest.fixture
def bounded() -> Iterator[Callable[[], None]]:
    """`bounded()` begins a minute of the process's time; who uses it up is stopped."""

    def stop(*_: object) -> None:
        raise TooLong

    before = signal.signal(signal.SIGVTALRM, stop)
    yield lambda: (signal.setitimer(signal.ITIMER_VIRTUAL, ENOUGH), None)[1]
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    signal.signal(signal.SIGVTALRM, before)


@pytest.mark.timeout(600)  # a minute of one's own may take many on a machine that is busy
@pytest.mark.parametrize("reader", READERS)
def test_a_megabyte_of_anything_is_read_to_its_end_or_refused(reader, bounded):
    bounded()
    for piece in PIECES:
        with contextlib.suppress(*REFUSALS):
            READERS[reader](piece * (LENGTH // len(piece)) + "!")
