"""A wrong address ends the start with one sentence; a plain foreign spelling is understood."""

import contextlib

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

from app.service_urls import database_url, redis_url

POSTGRESQL = "postgresql+psycopg://u:p@db.example:5432/app"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("postgres://u:p@db.example:5432/app", POSTGRESQL),
        ("postgresql+psycopg://u:p@db.example:5432/app", POSTGRESQL),
        ("postgresql://u:p@db.example:5432/app?pgbouncer=true", POSTGRESQL),
        ("postgresql://u:p@db.example:5432/app?schema=public", POSTGRESQL),
        ("postgresql://u:p@db.example:5432/app?ssl=true", f"{POSTGRESQL}?sslmode=require"),
        ("postgresql://u:p@db.example:5432/app?ssl=false", POSTGRESQL),
        (f"{POSTGRESQL}?sslmode=verify-full", f"{POSTGRESQL}?sslmode=verify-full"),
        (f"{POSTGRESQL}?sslmode=verify-full&ssl=true", f"{POSTGRESQL}?sslmode=verify-full"),
        (f"{POSTGRESQL}?ssl=true&sslmode=verify-full", f"{POSTGRESQL}?sslmode=verify-full"),
        ("postgresql:///app?host=%2Frun", "postgresql+psycopg:///app?host=%2Frun"),
    ],
)
def test_a_database_address_is_translated_where_its_meaning_is_plain(text, url):
    assert database_url(text) == url
    make_url(url).translate_connect_args()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("mysql://h/app", "must start with"),
        ("postgresql://h:abc/app", "port"),
        ("postgresql://h:0/app", "port"),
        ("postgresql://h:/app", "port"),
        ("postgresql://[::1]:/app", "port"),
        ("postgresql://h/app?client_encoding=latin1", "client_encoding"),
        ("postgresql://h/app?client_encoding=SQL_ASCII", "client_encoding"),
        ("postgresql://h/app?replication=database", "replication"),
        ("postgresql://h:99999/app", "port"),
        ("postgresql://h/app#x", "%23"),
        ("postgresql://u:p/ss@h/app", "%2F"),
        ("postgresql://u:p?ss@h/app", "%3F"),
        ("postgresql://h1:5432,h2:5432/app", "one host"),
        ("postgresql://h/", "names no database"),
        ("postgresql:///app", "names no host"),
        ("postgresql://h/app?sslmode=no-verify", "sslmode=require"),
        ("postgresql://h/app?sslmode=on", "sslmode must be one of"),
        ("postgresql://h/app?schema=mine", "schema=mine"),
        ("postgresql://h/app?ssl=no-verify", "ssl=no-verify"),
        ("postgresql://h/app?port=abc", "port"),
        ("postgresql://h/app?port=0", "port"),
        ("postgresql://h/app?connect_timeout=abc", "connect_timeout"),
        ("postgresql://h/app?channel_binding=weird", "channel_binding"),
        ("postgresql://h/app?target_session_attrs=read-only", "target_session_attrs must be one"),
        ("postgresql://h/app?sslmode=require&sslmode=disable", "sslmode twice"),
        ("postgresql://h/app?options=-cjit%3Doff&options=-ca%3D1", "options twice"),
        ("postgresql://h/app?gssencmode=foo", "gssencmode"),
        ("postgresql://u:p#x@h/app", "%23"),
        ("postgresql://h/app?connection_limit=5", "connection_limit"),
        ("sqlite:///var/a.db?mode=ro", "no parameters"),
        ("sqlite:///", "names no file"),
        ("sqlite:////", "names no file"),
        ("sqlite:///var/", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite://", "must start with"),
        ("sqlite:///~/a.db", "begins with ~"),
        ("postgresql://u:p%00@h/app", "%00"),
        ("postgresql://h/a%00b", "%00"),
        ("postgresql://h/app?user=%00", "%00"),
    ],
)
def test_a_wrong_database_address_is_refused_in_a_sentence(text, word):
    with pytest.raises(ValueError, match=word):
        database_url(text)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("redis://h:6379", "redis://h:6379"),
        ("rediss://:p@h:6380/1", "rediss://:p@h:6380/1"),
        ("rediss://h/0?ssl_cert_reqs=CERT_NONE", "rediss://h/0?ssl_cert_reqs=none"),
        ("unix:///run/redis.sock?db=2", "unix:///run/redis.sock?db=2"),
        ("unix://u:p@/run/redis.sock", "unix://u:p@/run/redis.sock"),
        ("redis://[::1]:6379/0", "redis://[::1]:6379/0"),
        ("redis://10.0.0.1", "redis://10.0.0.1"),
        ("redis://h?socket_timeout=0.5", "redis://h?socket_timeout=0.5"),
        ("redis://h?client_name=a-b", "redis://h?client_name=a-b"),
        ("redis://a-b.c_d.example./0", "redis://a-b.c_d.example./0"),
    ],
)
def test_an_address_of_redis_is_one_that_its_client_takes(text, url):
    assert redis_url(text) == url
    redis.Redis.from_url(url).close()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "is required"),
        ("http://h", "must start with"),
        ("redis://h:abc", "port"),
        ("redis://h:/0", "port"),
        ("redis://h/zero", "number of a database"),
        ("redis://h?ssl_cert_reqs=none", "need rediss"),
        ("rediss://h?ssl_cert_reqs=maybe", "ssl_cert_reqs must be one of"),
        ("redis://h?socket_timeout=soon", "socket_timeout must be a number"),
        ("redis://h?family=4", "family"),
        ("redis://h?db=1&db=2", "db twice"),
        ("redis://h?db=1.5", "db must be a number"),
        ("redis://h?health_check_interval=1.5", "health_check_interval must be a number"),
        ("redis://h?socket_keepalive=x", "socket_keepalive must be true or false"),
        ("rediss://h?ssl_check_hostname=maybe", "ssl_check_hostname must be true or false"),
        ("redis://:p#x@h", "%23"),
        ("redis://h,h2/0", "'h,h2', which is no one host"),
        ("redis://h h2/0", "no one host"),
        ("rediss://h;h2", "no one host"),
        ("redis://h?socket_timeout=0", "socket_timeout must be a number above 0"),
        ("redis://h?socket_connect_timeout=0.00", "socket_connect_timeout must be a number above"),
        ("redis://h?client_name=a%20b", "client_name must be of visible"),
        ("redis://h?client_name=a%0Ab", "client_name must be of visible"),
        ("redis://:p%00@h", "%00"),
        ("unix:///etc/passwd", "names /etc/passwd, which is no socket"),
        ("unix://", "names no socket"),
        ("unix:///", "names no socket"),
        ("unix://run/redis.sock", "names no socket"),
        ("unix:///run/redis.sock?socket_keepalive=true", "a socket does not take"),
    ],
)
def test_a_wrong_address_of_redis_is_refused_in_a_sentence(text, word):
    with pytest.raises(ValueError, match=word):
        redis_url(text)


@given(st.sampled_from(["postgresql://", "redis://", "rediss://", "sqlite:///"]), st.text())
def test_whatever_is_typed_is_taken_or_refused_and_nothing_else(scheme, rest):
    judge = redis_url if scheme.startswith("redis") else database_url
    with contextlib.suppress(ValueError):
        assert judge(scheme + rest)


@pytest.mark.parametrize("name", ["sslrootcert", "sslcert", "sslkey"])
def test_a_file_of_the_databases_that_is_not_there_is_named(name, tmp_path):
    with pytest.raises(ValueError, match=f"{name} names /nowhere/x.pem, which cannot be read"):
        database_url(f"{POSTGRESQL}?{name}=/nowhere/x.pem")
    file = tmp_path / "x.pem"
    file.touch()
    assert database_url(f"{POSTGRESQL}?{name}={file}")
    assert database_url(f"{POSTGRESQL}?sslrootcert=system")


@pytest.mark.parametrize("name", ["ssl_ca_certs", "ssl_certfile", "ssl_keyfile"])
def test_a_file_of_redis_that_is_not_there_is_named(name):
    with pytest.raises(ValueError, match=f"{name} names /nowhere/x.pem, which cannot be read"):
        redis_url(f"rediss://h/0?{name}=/nowhere/x.pem")
