"""The exports of the API as a spreadsheet reads them."""

import csv
import io
from typing import Any


def exported(client: Any, account: Any, what: str = "leads", **query: Any) -> list[dict[str, str]]:
    """The rows of `leads/export`, or of `what` else, asked for with the key of `account`."""
    bearer = {"Authorization": f"Bearer {account.key}"}
    answer = client.get(f"/api/{what}/export.json", query_string=query, headers=bearer)
    assert answer.mimetype == "text/csv"
    assert f"{what}.csv" in answer.headers["Content-Disposition"]
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))


def as_text(rows: list[dict[str, Any]]) -> list[dict[str, str]]:
    """The rows of a list as an export writes them."""
    return [{name: str(value) for name, value in row.items()} for row in rows]
