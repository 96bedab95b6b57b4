"""A view gets checked parameters, and what it returns is dumped and described."""

from typing import Any, NamedTuple

import pytest
from flask import Flask, Response
from marshmallow import ValidationError

from app.schemas import Input, Output, fields
from app.web import responses
from app.web.decorators import (
    answers,
    answers_page,
    describes,
    describes_body,
    takes,
    with_warnings,
)
from app.web.openapi.responses import NUMBER, TEXT, TEXTS, Answer


class Rows(NamedTuple):
    rows: Any
    total: int


class Number(Input):
    """A parameter."""

    number = fields.Int(1, required=True)


class Thing(Output):
    """What is shown of a thing."""

    name = fields.Text()


@pytest.fixture
def app(settings):
    from app import create_app

    return create_app(settings())


def _called(app: Flask, view, query="number=7"):
    """The JSON that `view` answers, or that the error handler answers for it."""
    with app.test_request_context(f"/api/thing.json?{query}"):
        try:
            response = view()
        except ValidationError as error:
            response = responses.handle_error(error)
        return response.get_json()


def test_a_view_gets_what_its_schema_has_checked(app):
    @takes(Number)
    @answers(Thing)
    def view(params):
        return {"name": repr(params)}

    assert _called(app, view)["data"] == {"name": "{'number': 7}"}


def test_a_view_is_not_called_with_what_its_schema_refuses(app):
    called = []

    @takes(Number)
    @answers()
    def view(params):
        called.append(params)

    answer = _called(app, view, "number=0")
    assert (answer["error"], answer["field"]) == ("param", "number")
    assert called == []


def test_only_described_fields_leave(app):
    @answers(Thing)
    def view():
        return {"name": "a", "secret": "b"}

    assert _called(app, view) == {"status": "ok", "data": {"name": "a"}}


def test_a_list_and_a_page_of_it(app):
    things = [{"name": "a"}, {"name": "b"}]
    assert _called(app, answers(Thing, many=True)(lambda: things)) == {
        "status": "ok",
        "data": things,
    }
    assert _called(app, answers_page(Thing)(lambda: Rows(things, 9))) == {
        "status": "ok",
        "data": things,
        "total": 9,
    }


def test_an_answer_without_a_schema_has_no_data(app):
    assert _called(app, answers()(lambda: {"name": "a"})) == {"status": "ok"}


def test_an_optional_answer_may_have_no_data(app):
    view = answers(Thing, optional=True)(lambda: None)
    assert _called(app, view) == {"status": "ok"}


def test_warnings_stand_beside_the_data_and_only_where_there_are_some(app):
    decorate = answers(Thing, warnings=True)
    thing = {"name": "a"}
    warned = decorate(lambda: with_warnings(["careful"], thing))
    assert _called(app, warned) == {"status": "ok", "data": thing, "warnings": ["careful"]}
    fine = decorate(lambda: with_warnings([], thing))
    assert _called(app, fine) == {"status": "ok", "data": thing}


def test_the_decorators_tell_the_document_what_they_were_given():
    @takes(Number)
    @answers(Thing, optional=True, warnings=True)
    def view(params):
        """Say nothing."""

    assert view.takes is Number
    assert view.answer == Answer(Thing, optional=True, top_optional={"warnings": TEXTS})
    assert view.__doc__ == "Say nothing."
    assert answers_page(Thing)(lambda: None).answer == Answer(
        Thing, many=True, top={"total": NUMBER}
    )


def test_a_view_that_answers_by_itself_is_described_and_left_alone(app):
    @describes(Answer(TEXT, media="text/csv"))
    @describes_body({"text/plain": TEXT})
    def view():
        return Response("a,b", mimetype="text/csv")

    assert (view.answer.media, view.body) == ("text/csv", {"text/plain": TEXT})
    with app.test_request_context("/api/thing.json"):
        assert view().get_data() == b"a,b"
