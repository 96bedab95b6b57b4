"""A Keitaro tracker on loopback, as its postback page describes it.

`GET /{postback key}/postback`: one conversion per `subid`, and per `tid` where
there is one; a later status overwrites the earlier one. Source: see
plugins/presets/keitaro.json. The words of its refusals are those of Orbitra,
which takes the same postbacks.
"""

from __future__ import annotations

from typing import Final

from app.sandbox.vendors.vendor import Reply, VendorCall, VendorDouble

KINDS: Final = ("lead", "sale", "rejected")


class KeitaroDouble(VendorDouble):
    """One postback key. Knows every click."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key
        self.told: list[tuple[str, str]] = []  #: subid and status of all that were taken
        self.conversions: dict[tuple[str, str], str] = {}  #: (subid, tid) to its kind

    def answer(self, call: VendorCall) -> Reply:
        """One postback."""
        if call.path != f"/{self.key}/postback":
            return _text(404, "Invalid postback key")
        if not call.query.get("subid"):
            return _text(400, "Missing subid")
        self.told.append((call.query["subid"], call.query.get("status", "")))
        place = call.query["subid"], call.query.get("tid", "")
        self.conversions[place] = self._kind(call)
        return _text(200, "Success")

    @staticmethod
    def _kind(call: VendorCall) -> str:
        """Ours in its words, by the lists in the URL; `sale` where none holds it."""
        status = call.query.get("status", "")
        for kind in KINDS:
            if status in call.query.get(f"{kind}_status", "").split(","):
                return kind
        return "sale"


def _text(status: int, words: str) -> Reply:
    return Reply(status, words.encode(), {"Content-Type": "text/plain"})
