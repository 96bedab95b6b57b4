from __future__ import annotations

from app.dashboard.errors import status_of
from app.errors import ApiError, BadParameter, CannotConnect, NotFound, Unpaid


def test_each_error_has_its_status():
    statuses = {
        NotFound(): 404,
        Unpaid(): 402,
        BadParameter("x"): 422,
        CannotConnect(): 422,
        ApiError(): 500,
    }
    assert {error: int(status_of(error)) for error in statuses} == statuses


def test_what_is_not_there_is_a_page_that_says_so(browser):
    page = browser.page("/bots/999999/delete", 404)
    assert "there is no such object in this account" in page
    assert 'href="/"' in page


def test_a_fault_shows_a_number_and_no_detail(browser, monkeypatch):
    from app.services.bots import bots

    def fail(*_):
        raise RuntimeError("the inside of the house")

    monkeypatch.setattr(bots, "list_with_faults", fail)
    page = browser.page("/bots", 500)
    assert "Tell the operator this number" in page
    assert "inside of the house" not in page
