"""Yandex Metrica's upload of offline conversions on loopback, as its documents describe it.

Sources: see `plugins/trackers/yandex_metrica.py`. Errors are objects with
`errors`, `code` and `message`; `code` is the HTTP status. Their words are ours,
and so is the 405 for another method.
"""

import csv
import re
import time
from collections.abc import Mapping
from email import message_from_bytes
from typing import Any, Final

from app.sandbox.vendors.vendor import Reply, VendorCall, VendorDouble

_PATH: Final = re.compile(r"/management/v1/counter/([0-9]+)/offline_conversions/([a-z]+)")
#: One of these names the visit.
_WHO: Final = frozenset({"ClientId", "UserId", "Yclid", "PurchaseId"})
_NEEDED: Final = frozenset({"Target", "DateTime"})
_OTHERS: Final = frozenset({"Price", "Currency"})


class MetricaDouble(VendorDouble):
    """One counter with one token, both made up."""

    counter = "2215573"
    token = "y0_made-up-token"  # noqa: S105  # opens nothing but this double

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[dict[str, str]] = []
        self._uploads = 0

    def rows(self) -> list[dict[str, str]]:
        """Return the conversions that were taken, oldest first, repetitions too."""
        with self._lock:
            return list(self._rows)

    def answer(self, call: VendorCall) -> Reply:
        """Answer one call."""
        path = _PATH.fullmatch(call.path)
        if path is None:
            return error(404, "not_found", "Not found")
        if call.headers.get("authorization") != f"OAuth {self.token}":
            return error(401, "invalid_token", "Invalid oauth_token")
        if path[1] != self.counter:
            return error(404, "not_found", f"Entity not found, entity type: counter, id {path[1]}")
        if (call.method, path[2]) == ("GET", "uploadings"):
            return Reply(200, {"uploadings": [self._uploading(1, 1)] if self._uploads else []})
        if (call.method, path[2]) == ("POST", "upload"):
            return self._take(call)
        return error(405, "invalid_parameter", "Method not allowed")

    def _take(self, call: VendorCall) -> Reply:
        rows = _rows(call)
        if rows is None:
            return error(400, "missing_parameter", "Required request part 'file' is not present")
        if not rows or (wrong := self._wrong(rows)):
            return error(400, "invalid_parameter", wrong if rows else "The file is empty")
        self._rows += rows
        self._uploads += 1
        return Reply(200, {"uploading": self._uploading(len(rows), len(rows))})

    def _wrong(self, rows: list[dict[str, str]]) -> str:
        names = set(rows[0])
        if not names >= _NEEDED or len(names & _WHO) < 1 or names - _NEEDED - _WHO - _OTHERS:
            return "Wrong columns of the file"
        for row in rows:
            if not (row["DateTime"] or "").isdigit() or int(row["DateTime"]) > time.time():
                return "DateTime must be in the past"
            if not row["Target"]:
                return "Target must not be empty"
        return ""

    def _uploading(self, rows: int, taken: int) -> dict[str, Any]:
        return {
            "id": self._uploads,
            "create_time": "2026-11-21T00:00:00Z",
            "source_quantity": rows,
            "line_quantity": taken,
            "comment": "",
            "type": "BASIC",
            "status": "UPLOADED",
        }


def _rows(call: VendorCall) -> list[dict[str, str]] | None:
    """Return the rows of the part `file`, None where there is no such part."""
    head = f"Content-Type: {call.headers.get('content-type', '')}\r\n\r\n".encode()
    for part in message_from_bytes(head + call.raw).walk():
        if part.get_param("name", header="content-disposition") == "file":
            text = str(part.get_payload(decode=True), "utf-8")  # type: ignore[arg-type]
            return list(csv.DictReader(text.splitlines()))
    return None


def error(status: int, kind: str, message: str, **headers: str) -> Reply:
    """Return a refusal as Metrica sends it; also to be ordered as a fault."""
    body: Mapping[str, Any] = {
        "errors": [{"error_type": kind, "message": message}],
        "code": status,
        "message": message,
    }
    return Reply(status, body, headers)
