"""One click told of twice, by its page and by its link: what the later report adds. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from app.domain.clicks.link_query import QueryFlag
from plugins.kit.platforms.meta_ids import newer_fbc

#: Columns that a later report fills where they are empty, and columns of objects.
TEXTS: Final = "visitor external referrer landing ip ua country city site_id".split()
OBJECTS: Final = ("ids", "utm", "subs", "ad")


def merge(stored: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of `stored` completed by those of `later`.

    What is known stays, except an older fbc; `pressed` becomes the later one. Objects are
    mappings here.
    """
    merged = {name: stored[name] or later[name] for name in TEXTS}
    merged |= {name: {**later[name], **stored[name]} for name in OBJECTS}
    if "fbc" in merged["ids"]:
        fbc = newer_fbc(stored["ids"].get("fbc", ""), later["ids"].get("fbc", ""))
        merged["ids"]["fbc"] = fbc
    merged["pressed"] = max(filter(None, (stored["pressed"], later["pressed"])), default=None)
    merged["flags"] = stored["flags"] | later["flags"]
    if not stored["flags"] & later["flags"] & QueryFlag.NO_CONSENT:
        merged["flags"] &= ~QueryFlag.NO_CONSENT  # agreed to before, or in the meantime
    return merged
