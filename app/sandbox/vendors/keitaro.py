"""A Keitaro tracker on loopback, as its postback page describes it.

`GET /{postback key}/postback`: one conversion per `subid`, and per `tid` where
there is one; a later status overwrites the earlier one. Source: see
plugins/trackers/url_template/presets/keitaro.json. Any other address is a page
of its panel, with the status 200. Orbitra takes the same postbacks and refuses
a wrong key in words (`ORBITRA_REFUSAL`, from its source).
"""

from __future__ import annotations

from typing import Final

from app.sandbox.vendors.vendor import Reply, VendorCall, VendorDouble

PANEL: Final = b"<!DOCTYPE html>\n<html><head><title>Keitaro</title></head><body></body></html>"
ORBITRA_REFUSAL: Final = Reply(404, b"Invalid postback key", {"Content-Type": "text/plain"})
KINDS: Final = ("lead", "sale", "rejected")


class KeitaroDouble(VendorDouble):
    """One postback key. Knows every click."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key
        self.refusal = Reply(200, PANEL, {"Content-Type": "text/html; charset=utf-8"})
        self.told: list[tuple[str, str]] = []  #: subid and status of all that were taken
        self.conversions: dict[tuple[str, str], str] = {}  #: (subid, tid) to its kind

    def answer(self, call: VendorCall) -> Reply:
        """One postback."""
        if call.path != f"/{self.key}/postback":
            return self.refusal
        subid = call.query.get("subid", "")
        self.told.append((subid, call.query.get("status", "")))
        place = subid, call.query.get("tid", "")
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
