import json
import re
import sqlite3
import time

import click
import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from app.cli.commands import Commands
from app.extensions import cipher, db
from app.models import Account, Postback


def test_an_account_is_created_and_its_key_works(run, api):
    result = run("account create --login owner --name Owner")
    assert result.exit_code == 0
    made = json.loads(result.stdout)
    assert set(made) == {"id", "key"}
    assert re.fullmatch(rf"{made['id']}-[A-Za-z0-9_-]{{20,}}", made["key"])
    data = api(made["key"]).get("profile/info")["data"]
    assert (data["login"], data["name"], data["tariff"]) == ("owner", "Owner", "kitten")


def test_a_paid_plan_is_granted_for_thirty_days_unless_said(run):
    before = int(time.time())
    run("account create --login a --name A --tariff cat --lang ru")
    run("account create --login b --name B --tariff tiger --until 2030-01-02")
    granted, dated = (db.session.query(Account).filter_by(login=login).one() for login in "ab")
    assert 0 <= granted.paid_until - before - 30 * 86400 < 600
    assert granted.lang == "ru"
    assert dated.paid_until == 1893542400


def test_a_login_is_given_once(run):
    run("account create --login a --name A")
    result = run("account create --login a --name B")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: the login a is taken\n"


@pytest.mark.parametrize(
    "line",
    [
        "account create --login a",
        "account create --login a --name A --tariff dog",
        "account create --login a --name A --until soon",
        "account tariff --login a",
        "account nothing",
        "postbacks retry",
        "postbacks retry --state sending",
        "postbacks retry --state failed --dest 0",
    ],
)
def test_a_mistyped_command_ends_with_two(run, line):
    result = run(line)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


@pytest.mark.parametrize("verb", ["key", "ban", "unban", "tariff --tariff cat"])
def test_an_unknown_login_ends_with_one(run, verb):
    result = run(f"account {verb} --login nobody")
    assert result.exit_code == 1
    assert result.stderr == "Error: there is no account with the login nobody\n"


def test_a_key_is_rotated(run, api, account):
    made = json.loads(run(f"account key --login {account.login}").stdout)
    assert made["id"] == account.id
    assert api.get("profile/info")["error"] == "key"
    assert api(made["key"]).get("profile/info")["status"] == "ok"


def test_an_account_is_banned_and_pardoned(run, api, account):
    assert run(f"account ban --login {account.login}").exit_code == 0
    assert api.get("profile/info")["error"] == "ban"
    assert run(f"account unban --login {account.login}").exit_code == 0
    assert api.get("profile/info")["status"] == "ok"


def test_a_plan_is_granted(run, api, account):
    run(f"account tariff --login {account.login} --tariff cat --until 2031-05-06")
    data = api.get("profile/info")["data"]
    assert (data["tariff"], data["paid_until"]) == ("cat", "2031-05-06 00:00:00")
    run(f"account tariff --login {account.login} --tariff kitten")
    assert api.get("profile/info")["data"]["paid_until"] == "0000-00-00 00:00:00"


def test_the_adapters_are_listed(run):
    result = run("plugins list")
    assert result.exit_code == 0
    assert "url_template" in result.stdout


def test_failed_postbacks_of_all_accounts_are_sent_again(run, world, world_of, other):
    theirs = world_of(other.id)
    mine, theirs_failed = world.postback(3), theirs.postback(4)
    delivered = world.postback(3, state=2)
    assert run("postbacks retry --state failed --dest 4").stdout.startswith("1 ")
    assert run("postbacks retry --state failed").stdout.startswith("1 ")
    states = [db.session.get(Postback, row).state for row in (mine, theirs_failed, delivered)]
    assert states == [0, 0, 2]


def test_what_is_sealed_is_sealed_anew_and_lost_rows_are_told(run, world, settings):
    world.bot()
    db.session.commit()
    result = run("secrets rotate")
    assert result.exit_code == 0
    assert "bot.token: 0 sealed anew\n" in result.stdout
    assert "bot.token: 1 looked at\n" in result.stderr
    cipher.set_key("a key that nobody has used")
    try:
        result = run("secrets rotate")
    finally:
        cipher.set_key(settings().secret_key)
    assert result.exit_code == 1
    assert "bot.token: 0 sealed anew, 1 that no key opens\n" in result.stdout


@pytest.mark.parametrize(
    "fault",
    [
        OperationalError("", {}, psycopg.OperationalError("gone")),
        psycopg.OperationalError("gone"),
        sqlite3.OperationalError("gone"),
    ],
    ids=["wrapped", "PostgreSQL's own", "SQLite's own"],
)
def test_a_fault_of_the_database_is_one_line_whoever_raises_it(fault):
    group = Commands("some")

    @group.command("asks", with_appcontext=False)
    def command() -> None:
        raise fault

    with pytest.raises(click.ClickException, match=r"the database refused \(gone\)"):
        group.main(["asks"], standalone_mode=False)
