"""A Keitaro tracker on loopback, as its postback page describes it.

`GET /{postback key}/postback`: one conversion per `subid`, and per `tid` where
there is one; a later status overwrites the earlier one. Source: see
plugins/trackers/url_template/presets/keitaro.json. A status is what the lists in the URL
make of it, else its own word where Keitaro has it; without a status it is a sale. What
becomes of any other word the page does not say: here it is filed as nothing. A success
answers the word of `return`. The page shows no other answers: the word `Success` where
there is no `return`, and the panel's page with the status 200 at any other
address, are ours. `refusal` may be another tracker's that takes the same
postbacks.
"""

from typing import Final

from app.sandbox.vendors.vendor import Reply, VendorCall, VendorDouble

PANEL: Final = b"<!DOCTYPE html>\n<html><head><title>Keitaro</title></head><body></body></html>"
#: What a status may be filed as, by a list in the URL.
LISTS: Final = ("lead", "sale", "rejected", "trash", "ignore")
#: The statuses that it has by itself.
STATUSES: Final = ("lead", "sale", "rejected", "rebill")


class KeitaroDouble(VendorDouble):
    """One postback key; every click is known.

    `postbacks` are subid and status of all that was taken, oldest first;
    `conversions` the kind by (subid, tid).
    """

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key
        self.refusal = Reply(200, PANEL, {"Content-Type": "text/html; charset=utf-8"})
        self.postbacks: list[tuple[str, str]] = []
        self.conversions: dict[tuple[str, str], str] = {}

    def answer(self, call: VendorCall) -> Reply:
        """Answer one postback."""
        if call.path != f"/{self.key}/postback":
            return self.refusal
        subid = call.query.get("subid", "")
        self.postbacks.append((subid, call.query.get("status", "")))
        if kind := self._kind(call):
            self.conversions[subid, call.query.get("tid", "")] = kind
        return _text(200, call.query.get("return") or "Success")

    @staticmethod
    def _kind(call: VendorCall) -> str:
        """Return the kind of a status, by the lists in the URL first; "" if it is not known."""
        status = call.query.get("status", "")
        if not status:
            return "sale"
        for kind in LISTS:
            if status in call.query.get(f"{kind}_status", "").split(","):
                return kind
        return status if status in STATUSES else ""


def _text(status: int, words: str) -> Reply:
    return Reply(status, words.encode(), {"Content-Type": "text/plain"})
