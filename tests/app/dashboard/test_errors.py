import pytest

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


BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize("path", ["/nothing", "/leads/none", "/logout", "/static/0/none.css"])
def test_a_browser_at_an_unknown_path_gets_a_page(client, path):
    answer = client.get(path, headers={**BROWSER, "Accept-Language": "ru"})
    page = answer.get_data(as_text=True)
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "такой страницы нет" in page
    assert 'href="/"' in page
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/api/nothing.json", "/api/camp/add.json"])
def test_under_the_api_a_browser_gets_its_answer_too(client, path):
    answer = client.get(path, headers=BROWSER)
    assert (answer.status_code, answer.get_json()["error"]) == (200, "func")


@pytest.mark.parametrize("accept", ["", "*/*", "application/json"])
def test_a_program_at_an_unknown_path_gets_json(client, accept):
    answer = client.get("/nothing", headers={"Accept": accept})
    assert (answer.status_code, answer.get_json()["error"]) == (404, "func")
