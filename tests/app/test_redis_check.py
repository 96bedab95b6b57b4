"""A start says in one line what is wrong with Redis, or with the address that it was given."""

import socket
import threading
from collections.abc import Iterator

import pytest
import redis

from app import redis_check
from app.config import BadSetting
from app.local.redis_server import EmbeddedRedis
from app.redis_check import check_redis
from tests.support.redis_ports import redis_port, tls_context


@pytest.fixture
def own_redis(short_folder) -> Iterator[EmbeddedRedis]:
    folder = short_folder / "check"
    folder.mkdir(exist_ok=True)
    with EmbeddedRedis(folder) as server:
        yield server


@pytest.fixture
def clear_port(redis_server) -> Iterator[int]:
    with redis_port(redis_server.url) as port:
        yield port


@pytest.fixture
def tls_port(redis_server, tmp_path) -> Iterator[int]:
    with redis_port(redis_server.url, tls_context(tmp_path)) as port:
        yield port


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def refused(url: str, patience: float = 0) -> str:
    with pytest.raises(BadSetting) as refusal:
        check_redis(url, patience)
    line = str(refusal.value)
    assert line.startswith("REDIS_URL: ")
    assert "\n" not in line
    return line.removeprefix("REDIS_URL: ")


def test_a_redis_that_will_never_serve_us_is_told_of_in_its_words(own_redis):
    path = own_redis.url.removeprefix("unix://")
    with redis.Redis.from_url(own_redis.url) as client:
        client.execute_command("ACL", "SETUSER", "renter", "on", ">right", "~*", "+ping")
        check_redis(own_redis.url)
        check_redis(f"unix://renter:right@{path}")
        assert "invalid username" in refused(f"unix://renter:wrong@{path}")
        assert "DB index" in refused(f"{own_redis.url}?db=99")
        client.execute_command("ACL", "SETUSER", "default", "resetpass", ">secret")
    assert refused(own_redis.url)


def test_one_that_does_not_answer_is_named(clear_port):
    assert "No such file" in refused("unix:///nowhere/redis.sock")
    assert "refused" in refused(f"redis://127.0.0.1:{closed_port()}")


def test_one_that_is_away_is_none_of_its_faults_for_a_process_that_is_started_again():
    check_redis("unix:///nowhere/redis.sock", may_be_away=True)


def test_one_that_is_starting_is_waited_for(redis_server):
    port = closed_port()

    def begin() -> None:
        with socket.create_server(("127.0.0.1", port)) as server:
            line, _ = server.accept()
            with line:
                line.recv(1000)
                line.sendall(b"-LOADING Redis is loading the dataset in memory\r\n" * 9)
                line.recv(1000)

    thread = threading.Timer(0.5, begin)
    thread.start()
    check_redis(f"redis://127.0.0.1:{port}", patience=60)
    thread.join()


def test_encryption_without_verification_is_a_setting(tls_port):
    url = f"rediss://127.0.0.1:{tls_port}"
    assert refused(url) == redis_check._TRUST
    check_redis(f"{url}?ssl_cert_reqs=none")


def test_an_address_with_the_wrong_scheme_is_told_the_right_one(clear_port, tls_port):
    assert "does not speak TLS" in refused(f"rediss://127.0.0.1:{clear_port}?ssl_cert_reqs=none")
    assert "it speaks TLS" in refused(f"redis://127.0.0.1:{tls_port}")


def test_a_password_that_is_refused_over_the_other_scheme_is_an_answer_too(clear_port):
    assert "does not speak TLS" in refused(f"rediss://nobody:wrong@127.0.0.1:{clear_port}")


def test_a_password_that_is_refused_is_named(clear_port):
    assert "invalid username-password" in refused(f"redis://nobody:wrong@127.0.0.1:{clear_port}")
