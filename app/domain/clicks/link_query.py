"""The query of an ad's link: the parameters we know, each kept as it came. Pure.

Nothing is lower-cased, trimmed or decoded twice: Meta compares fbclid to the
letter. What is too long is dropped, since half an id is another id.
"""

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote_to_bytes

from app.domain.clicks.click_ids import is_unreplaced
from app.domain.storable_text import UNSTORABLE
from plugins.kit.platforms.meta_ids import MAX_ID, is_fbc, is_fbp

MAX_QUERY: Final = 4096  # bytes
MAX_PAIRS: Final = 200
MAX_EXTERNAL: Final = 256
MAX_TEXT: Final = 256
SUBS: Final = tuple(f"sub{number}" for number in range(1, 11))

#: How the parameters of ad platforms stand in links, and under which name they are kept.
_IDS: Final[Mapping[str, str]] = {
    **{name: name for name in ("fbclid", "fbc", "fbp", "gclid", "gbraid", "wbraid", "ttclid")},
    **{name: name for name in ("ttp", "sccid", "yclid", "ym_uid", "ga")},
    "ScCid": "sccid",
    "_ym_uid": "ym_uid",
    "_ga": "ga",
}
_UTM: Final[Mapping[str, str]] = {
    f"utm_{name}": name for name in ("source", "medium", "campaign", "content", "term")
}
#: The place of an ad, and what the network says that this click cost.
_AD: Final[Mapping[str, str]] = {
    name: name for name in ("campaign_id", "adset_id", "ad_id", "placement", "cost", "currency")
}
#: Ids that a platform makes for one press and for no other; gbraid and wbraid are of many.
_OF_ONE_PRESS: Final = ("fbclid", "gclid", "ttclid", "sccid", "yclid")
_SUBS: Final[Mapping[str, str]] = {
    **{name: name for name in SUBS},
    **{f"sub_id_{number}": f"sub{number}" for number in range(1, 11)},
}
_VALID: Final = (("fbc", is_fbc), ("fbp", is_fbp))


class QueryFlag(enum.IntFlag):
    """What was noticed of a click, mostly in its query. Stored, so the bits stay."""

    NONE = 0
    NO_CONSENT = 8  #: the visitor has agreed to nothing, so nothing of the query was kept
    CUT = 16  #: longer than 4 KB, more than 200 parameters, or a value that is too long
    UNREPLACED = 32  #: a macro that nobody filled in
    INVALID_ID = 64  #: an fbc or fbp that Meta would not take
    FALLBACK = 128  #: no invite link was to be had for it


@dataclass(slots=True)
class LinkQuery:
    """What one query said. Of a name that occurs twice the first value counts."""

    external: str = ""  #: the tracker's own click id
    ids: dict[str, str] = field(default_factory=dict)
    utm: dict[str, str] = field(default_factory=dict)
    subs: dict[str, str] = field(default_factory=dict)
    ad: dict[str, str] = field(default_factory=dict)
    flags: QueryFlag = QueryFlag.NONE

    @property
    def press_id(self) -> str:
        """The id that its ad platform has made for this one press, or ""."""
        return next((self.ids[name] for name in _OF_ONE_PRESS if name in self.ids), "")


def read(query: bytes, click_param: str, sub_map: Mapping[str, str]) -> LinkQuery:
    """Read the query of a link. Never raises, whatever it gets.

    `click_param` is the name under which the tracker sends its click id.
    `sub_map` says which other names are kept, and as which of sub1…sub10.
    """
    result = LinkQuery()
    if len(query) > MAX_QUERY:
        query = query[:MAX_QUERY].rpartition(b"&")[0]
        result.flags |= QueryFlag.CUT
    tables = (
        (_IDS, result.ids, MAX_ID),
        (_UTM, result.utm, MAX_TEXT),
        (_AD, result.ad, MAX_TEXT),
        ({**_SUBS, **sub_map}, result.subs, MAX_TEXT),
    )
    for name, value in _pairs(query, result):
        if name == click_param and not result.external:
            result.external = checked(value, MAX_EXTERNAL, result)
        for names, values, longest in tables:
            key = names.get(name)
            if key is not None and key not in values and (text := checked(value, longest, result)):
                values[key] = text
    drop_invalid_ids(result)
    return result


def drop_invalid_ids(result: LinkQuery) -> None:
    """Drop an fbc or fbp that Meta would not take, and flag it."""
    for name, is_valid in _VALID:
        if name in result.ids and not is_valid(result.ids[name]):
            del result.ids[name]
            result.flags |= QueryFlag.INVALID_ID


def _pairs(query: bytes, result: LinkQuery) -> Iterator[tuple[str, str]]:
    parts = query.split(b"&")
    if len(parts) > MAX_PAIRS:
        result.flags |= QueryFlag.CUT
    for part in parts[:MAX_PAIRS]:
        name, _, value = part.partition(b"=")
        yield _decoded(name), _decoded(value)


def _decoded(part: bytes) -> str:
    return unquote_to_bytes(part.replace(b"+", b" ")).decode("utf-8", "replace")


def checked(value: str, longest: int, result: LinkQuery) -> str:
    """Return the value, or "" if it is none; what is wrong with it is flagged in `result`."""
    if is_unreplaced(value):
        result.flags |= QueryFlag.UNREPLACED
        return ""
    if len(value) > longest or UNSTORABLE.search(value):
        result.flags |= QueryFlag.CUT
        return ""
    return value
