"""`python -m app.local.command`: the command line of what `make run` keeps."""

from app.local.command import environment


def test_an_installation_that_ran_is_found_by_its_folder(tmp_path):
    folder = tmp_path / "var"
    folder.mkdir()
    (folder / "secret_key").write_text("s" * 64)
    (folder / "redis_url").write_text("unix:///somewhere/redis.sock")
    (tmp_path / ".env").write_text("LOG_LEVEL=error\n")
    found = environment({"WORKERS": "3"}, tmp_path)
    assert found["DATABASE_URL"] == f"sqlite:///{folder}/gatepost.db"
    assert found["SECRET_KEY"] == "s" * 64
    assert found["REDIS_URL"] == "unix:///somewhere/redis.sock"
    assert (found["LOG_LEVEL"], found["WORKERS"]) == ("error", "3")


def test_what_is_set_stays(tmp_path):
    (tmp_path / "var").mkdir()
    ours = {"DATABASE_URL": "sqlite:///x", "REDIS_URL": "redis://y", "SECRET_KEY": "z" * 16}
    assert ours.items() <= environment(ours, tmp_path).items()
