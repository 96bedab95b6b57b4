"""What the two variables may be, and that what they need is installed."""

import pytest

from app.config import BadSetting, Settings
from app.observability import extras

DSN = "https://0123456789abcdef@sentry.example.com/1"
REQUIRED = {"SECRET_KEY": "k" * 32, "REDIS_URL": "redis://localhost"}


@pytest.mark.parametrize(
    "url", ["", "http://localhost:4318", "https://otel.example.com/a/path", "http://[::1]:4318"]
)
def test_a_collector_is_an_address(url):
    assert extras.collector(url) == url


@pytest.mark.parametrize(
    "url",
    ["localhost:4318", "grpc://localhost:4317", "http://", "http://u:p@host", "http://host?key=1"],
)
def test_anything_else_is_refused_by_name(url):
    with pytest.raises(BadSetting, match=r"^OTEL_EXPORTER_OTLP_ENDPOINT: must "):
        Settings.from_environment(REQUIRED | {"OTEL_EXPORTER_OTLP_ENDPOINT": url})


@pytest.mark.parametrize("dsn", ["", DSN, "http://k:s@host:9000/path/42"])
def test_a_dsn_is_taken(dsn):
    assert extras.dsn(dsn) == dsn


@pytest.mark.parametrize("dsn", ["https://host/1", "https://key@host", "0123456789abcdef", "x y"])
def test_what_is_no_dsn_is_refused_without_being_repeated(dsn):
    with pytest.raises(BadSetting, match=r"^SENTRY_DSN: is not a DSN") as refused:
        Settings.from_environment(REQUIRED | {"SENTRY_DSN": dsn})
    assert dsn not in str(refused.value)


@pytest.mark.parametrize(
    ("parse", "value", "lock"),
    [
        (extras.collector, "http://localhost:4318", "-r requirements-otel.txt"),
        (extras.dsn, DSN, "-r requirements-sentry.txt"),
    ],
)
def test_without_its_library_a_variable_is_refused_with_the_line_to_add(parse, value, lock):
    asked = []
    with pytest.raises(ValueError, match=lock):
        parse(value, lambda name: bool(asked.append(name)))
    assert len(asked) == 1
    assert parse("", lambda _name: False) == ""


@pytest.mark.parametrize("name", extras.PACKAGES.values())
def test_the_libraries_are_those_of_the_extras(name):
    import configparser

    from tests.support import ROOT

    config = configparser.ConfigParser(interpolation=None)
    config.read(ROOT / "setup.cfg")
    extra = next(key for key, value in extras.PACKAGES.items() if value == name)
    assert f"\n{name}>" in config["options.extras_require"][extra]
