"""A list of clicks counts only so far."""

from __future__ import annotations

from app.extensions import db
from app.models import Click
from app.services.clicks import query


def test_a_list_counts_up_to_ten_thousand(world):
    rows = [
        {"account_id": world.account_id, "source_id": 1, "campaign_id": 1, "token": f"{number:016}",
         "created": number}
        for number in range(query.COUNTED + 5)
    ]  # fmt: skip
    db.session.bulk_insert_mappings(Click, rows)
    page = query.listed(world.account_id, limit=3)
    assert page.total == query.COUNTED
    assert [row.created for row in page.rows] == [10_004, 10_003, 10_002]
    assert query.listed(world.account_id, until=4).total == 5
