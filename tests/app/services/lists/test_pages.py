"""A page of a short list is the slice of all its rows, newest first."""

import pytest
from sqlalchemy import select

from app.models import Campaign
from app.services.lists.pages import fetch


@pytest.fixture
def ids(app, world):
    return sorted((world.campaign() for _ in range(7)), reverse=True)


def _page(account, **terms):
    page = fetch(select(Campaign).where(Campaign.account_id == account.id), Campaign.id, **terms)
    return [row.id for row in page.rows], page.total


@pytest.mark.parametrize("offset", [0, 3, 6, 7, 50])
def test_an_offset_skips_rows_and_the_total_stays(account, ids, offset):
    assert _page(account, limit=3, offset=offset) == (ids[offset : offset + 3], 7)


def test_rows_that_arrive_meanwhile_do_not_move_a_cursor(account, ids, world):
    first, _ = _page(account, limit=3, offset=0)
    world.campaign()
    assert _page(account, limit=3, offset=0, before=first[-1]) == (ids[3:6], 8)


def test_a_list_without_rows_is_an_empty_page(account, app):
    assert _page(account, limit=3, offset=0) == ([], 0)
