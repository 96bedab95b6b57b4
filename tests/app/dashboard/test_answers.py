from types import SimpleNamespace

import pytest
from flask import g

from app.dashboard import answers
from app.errors import BadParameter, NotFound
from app.extensions import db
from app.models import Account
from app.services.accounts.accounts import Caller
from app.services.lists.pages import Page


def answered(app, error=None):
    with app.test_request_context("/settings"):
        g.account = Caller(1, "en", "tiger", None)
        return answers.page("login/leave.html", error, url="/")


def test_a_page_has_the_status_of_what_was_wrong(app):
    assert answered(app).status_code == 200
    assert answered(app, BadParameter("title", "is too long")).status_code == 422
    assert answered(app, NotFound()).status_code == 404


def test_a_list_goes_on_behind_its_last_row_and_keeps_its_filters(app):
    rows = [SimpleNamespace(id=100 - number) for number in range(answers.ROWS)]
    full = answers.rows_of(Page(rows, 70), "/leads", {"status": "1"})
    assert (full["older"], full["is_more"]) == ("/leads?status=1&before=51", True)
    last = answers.rows_of(Page(rows[:3], 3), "/leads", {})
    assert (last["total"], last["is_more"]) == (3, False)
    assert answers.rows_of(Page([], 0), "/leads", {})["older"] == "/leads?"


def test_a_list_asks_for_so_many_rows_behind_the_place_that_its_address_names(app):
    with app.test_request_context("/leads?before=51"):
        assert answers.page_params() == {"limit": answers.ROWS, "before": "51"}
    with app.test_request_context("/leads?before="):
        assert answers.page_params() == {"limit": answers.ROWS}


def test_a_form_leads_on_by_a_get(app):
    with app.test_request_context("/"):
        response = answers.redirect_to("/bots?done=added")
    assert (response.status_code, response.headers["Location"]) == (303, "/bots?done=added")


def test_a_short_table_is_a_file_that_no_spreadsheet_runs(app):
    with app.test_request_context("/"):
        response = answers.table_as_file("days.csv", [("day", "name"), ("1", "=x()")])
    assert response.headers["Content-Disposition"] == 'attachment; filename="days.csv"'
    assert response.get_data(as_text=True) == "day,name\r\n1,'=x()\r\n"


@pytest.mark.parametrize(("zone", "shown"), [("UTC", "20:26:40+00:00"), ("Asia/Tokyo", "+09:00")])
def test_a_long_list_is_a_file_with_times_in_the_accounts_zone(
    browser, account, world, zone, shown
):
    db.session.get_one(Account, account.id).zone = zone
    world.lead(world.campaign(), start_time=1_780_000_000)
    world.postback(world.destination(), created=1_780_000_000)
    for path in ("/leads/leads.csv", "/deliveries/deliveries.csv"):
        text = browser.get(path).get_data(as_text=True)
        assert shown in text
        assert "0000-00-00" not in text
