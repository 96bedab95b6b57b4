from __future__ import annotations

from flask import g

from app.dashboard import answers
from app.errors import BadParameter, NotFound
from app.services.accounts.accounts import Caller


def answered(app, error=None):
    with app.test_request_context("/settings"):
        g.account = Caller(1, "en", "tiger", None)
        return answers.page("login/leave.html", error, url="/")


def test_a_page_has_the_status_of_what_was_wrong(app):
    assert answered(app).status_code == 200
    assert answered(app, BadParameter("title", "is too long")).status_code == 422
    assert answered(app, NotFound()).status_code == 404


def test_a_form_leads_on_by_a_get(app):
    with app.test_request_context("/"):
        response = answers.lead_to("/bots?done=added")
    assert (response.status_code, response.headers["Location"]) == (303, "/bots?done=added")
