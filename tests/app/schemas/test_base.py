"""Parameters come from the query of a GET and from the body of a POST, whatever its form."""

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError
from marshmallow import fields as plain
from werkzeug.exceptions import RequestEntityTooLarge

from app.errors import TooLarge
from app.schemas import fields
from app.schemas.base import MOST_UNKNOWN, Input, load, unknown_parameters
from app.schemas.parsing import MAX_BODY, UnreadableBody
from plugins.contract import TranslatableText

FORM = "application/x-www-form-urlencoded"
APP = Flask(__name__)
#: What a server says of a body whose length was not declared.
CHUNKED = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}


class Params(Input):
    """Two parameters, one of them named as the key may be."""

    id = fields.Text()
    name = fields.Text(8)
    number = fields.Int()


def loaded(schema: type[Input] = Params, **request: object) -> dict:
    with APP.test_request_context(**request):
        return load(schema())


@pytest.mark.parametrize(
    "request_",
    [
        {"query_string": {"name": "a b", "number": "7", "unknown": "x"}},
        {"method": "HEAD", "query_string": {"name": "a b", "number": "7"}},
        {"method": "POST", "json": {"name": "a b", "number": 7, "unknown": [1]}},
        {"method": "POST", "data": "name=a+b&number=7&unknown", "content_type": FORM},
        {
            "method": "POST",
            "data": {"name": "a b", "number": "7"},
            "content_type": "multipart/form-data",
        },
    ],
    ids=["query", "head", "json", "form", "multipart"],
)
def test_parameters_are_the_same_in_every_form_and_unknown_ones_are_ignored(request_):
    assert loaded(**request_) == {"name": "a b", "number": 7}


def test_a_post_reads_nothing_from_its_query():
    assert loaded(method="POST", query_string={"name": "query"}, json={"number": 1}) == {
        "number": 1
    }


@pytest.mark.parametrize("request_", [{"query_string": "name=a&name=b"}, {
    "method": "POST", "data": "name=a&name=b", "content_type": FORM}])  # fmt: skip
def test_the_first_of_two_values_counts(request_):
    assert loaded(**request_) == {"name": "a"}


def test_a_key_in_the_query_does_not_hide_the_id_of_an_object():
    key = "42-" + "x" * 43
    for pairs in (f"id={key}&id=7", f"id=7&id={key}"):
        assert loaded(query_string=pairs) == {"id": "7"}
    assert loaded(query_string=f"id={key}") == {}


@settings(max_examples=30)
@given(st.dictionaries(st.text("abc", min_size=1), st.text("xyz&=%+ ", max_size=5), max_size=4))
def test_a_query_carries_any_text(pairs):
    schema = Input.from_dict({name: fields.Text() for name in pairs})
    assert loaded(schema, query_string=pairs) == pairs


@pytest.mark.parametrize("data", [b"", b" \r\n"])
def test_no_body_is_no_parameters_whatever_its_type(data):
    assert loaded(method="POST", data=data, content_type="text/plain") == {}


def test_another_type_of_body_cannot_be_read():
    with pytest.raises(UnreadableBody):
        loaded(method="POST", data=b'{"name": "a"}', content_type="text/plain")


def test_a_form_that_does_not_say_how_long_it_is_may_be_half_of_it():
    with pytest.raises(UnreadableBody, match="Content-Length"):
        loaded(method="POST", data=b"name=a", content_type=FORM, environ_overrides=CHUNKED)


@pytest.mark.parametrize("environ", [{}, CHUNKED], ids=["declared", "chunked"])
@pytest.mark.parametrize("kind", ["application/json", FORM, "multipart/form-data; boundary=x"])
def test_a_body_beyond_the_limit_is_too_large_in_every_form(kind, environ):
    body = b'{"name": "a"}' + b" " * MAX_BODY
    with pytest.raises((TooLarge, RequestEntityTooLarge)):
        loaded(method="POST", data=body, content_type=kind, environ_overrides=environ)


@pytest.mark.parametrize("environ", [{}, CHUNKED], ids=["declared", "chunked"])
def test_a_body_of_exactly_the_limit_is_read(environ):
    body = b'{"name": "a"}'.ljust(MAX_BODY)
    request = {"data": body, "content_type": "application/json", "environ_overrides": environ}
    assert loaded(method="POST", **request) == {"name": "a"}


def test_what_marshmallow_itself_refuses_can_be_translated():
    class Dated(Input):
        at = plain.DateTime(required=True)

    with pytest.raises(ValidationError) as caught:
        loaded(Dated, query_string={"at": "soon"})
    (sentence,) = caught.value.messages_dict["at"]
    assert isinstance(sentence, TranslatableText)


def test_parameters_that_no_schema_takes_are_ignored_and_named():
    names = [f"p{number}" for number in range(20)]
    query = {"name": "a", "\x00x": "1", **dict.fromkeys(names, "1")}
    with APP.test_request_context(query_string=query):
        assert unknown_parameters() == []
        assert load(Params()) == {"name": "a"}
        sentences = unknown_parameters()
    assert sentences[:2] == [
        "x: is not known here and was ignored",
        "p0: is not known here and was ignored",
    ]
    assert len(sentences) == MOST_UNKNOWN
