"""The export of leads as a spreadsheet reads it."""

from __future__ import annotations

import csv
import io
from typing import Any


def exported(client: Any, account: Any, **query: Any) -> list[dict[str, str]]:
    """The rows of `leads/export`, asked for with the key of `account`."""
    bearer = {"Authorization": f"Bearer {account.key}"}
    answer = client.get("/api/leads/export.json", query_string=query, headers=bearer)
    assert answer.mimetype == "text/csv"
    assert "leads.csv" in answer.headers["Content-Disposition"]
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
