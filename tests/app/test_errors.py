"""An error has a code for programs and a text for people that can be translated."""

import re

import pytest

from app import errors
from app.errors import ApiError, BadParameter, CannotConnect, NotFound, TooManyRequests
from plugins.contract import TranslatableText, translatable

PLAIN = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, ApiError) and kind.__init__ is ApiError.__init__
]


@pytest.mark.parametrize("kind", PLAIN)
def test_without_a_message_its_own_is_told(kind):
    error = kind()
    assert re.fullmatch("[a-z]+", error.code)
    assert str(error) == error.message == kind.default
    assert isinstance(error.message, TranslatableText)
    assert (error.extra, error.lang) == ({}, None)


def test_a_message_replaces_the_default_and_what_stands_beside_is_kept():
    error = NotFound("no such thing", thing=5)
    assert (error.message, error.extra, error.code) == ("no such thing", {"thing": 5}, "notfound")


def test_a_reason_of_somebody_else_follows_the_message_untranslated():
    error = CannotConnect.wrapping("HTTP 401: <no>")
    assert isinstance(error, CannotConnect)
    assert error.message == f"{CannotConnect.default}: HTTP 401: <no>"
    assert error.message.terms["reason"] == "HTTP 401: <no>"
    assert error.message.terms["message"].template == CannotConnect.default


def test_a_parameter_is_named_beside_its_message():
    error = BadParameter("limit", translatable("must be from %(low)d to %(high)d", low=1, high=2))
    assert (error.field, error.extra) == ("limit", {"field": "limit"})
    assert error.message == "must be from 1 to 2"
    assert "limit" not in BadParameter("limit").message


def test_who_asks_too_often_is_told_when_to_come_back():
    assert TooManyRequests(7).extra == {"retry_after": 7}


def test_the_language_of_one_error_is_not_that_of_the_next():
    assert NotFound().in_language("ru").lang == "ru"
    assert NotFound().lang is None
