"""A wrong key is found, and what old keys have sealed is sealed anew while all goes on."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select, text

from app.database.schema_version import asking
from app.extensions import cipher, db
from app.models import Bot, Destination
from app.models.base import Base, Encrypted
from app.services import sealed

NEW = "a newer key than that of the tests"


@pytest.fixture
def keys(settings: Any) -> Iterator[str]:
    """The key of the tests; whatever a test sets is undone."""
    key = settings().secret_key
    yield key
    cipher.set_key(key)


def tokens_now() -> dict[int, str]:
    return dict(tuple(row) for row in db.session.execute(select(Bot.id, Bot.token)))


def fault() -> str:
    return sealed.key_fault(asking(db.session.connection()))


def test_every_sealed_column_is_covered_and_has_one_key() -> None:
    names = {f"{column.table.name}.{column.name}" for column in sealed.columns()}
    assert {"bot.token", "destination.settings", "account.tracker_key", "click.ip"} <= names
    assert len(names) == sum(
        isinstance(column.type, Encrypted)
        for model in Base.metadata.sorted_tables
        for column in model.columns
    )
    for column in sealed.columns():
        assert len(column.table.primary_key.columns) == 1


def test_the_key_that_wrote_the_database_is_right(app: Any, world: Any, keys: str) -> None:
    assert fault() == ""
    world.bot()
    world.destination()
    assert fault() == ""


def test_another_key_is_wrong_and_one_that_came_later_has_changed(
    app: Any, world: Any, keys: str
) -> None:
    world.bot()
    world.destination()
    cipher.set_key(NEW)
    assert fault() == sealed.WRONG_KEY
    world.bot()
    assert fault() == sealed.CHANGED_KEY
    cipher.set_key(NEW, [keys])
    assert fault() == ""


def test_all_is_sealed_anew_by_batches_and_the_old_key_is_needed_no_more(
    app: Any, world: Any, keys: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealed, "BATCH", 2)
    bots = [world.bot() for _ in range(5)]
    destination = world.destination()
    tokens = tokens_now()
    settings = db.session.get_one(Destination, destination).settings
    cipher.set_key(NEW, [keys])
    seen: list[tuple[str, int]] = []
    results = {one.name: one for one in sealed.reseal(lambda *told: seen.append(told))}
    assert results["bot.token"][1:] == (5, 0)
    assert results["destination.settings"].written == 1
    assert [rows for name, rows in seen if name == "bot.token"] == [2, 4, 5]
    cipher.set_key(NEW)
    db.session.expire_all()
    assert fault() == ""
    assert tokens_now() == tokens
    assert db.session.get_one(Destination, destination).settings == settings
    assert set(tokens) == set(bots)
    assert all(one.written == 0 for one in sealed.reseal(lambda *_: None))


def test_what_no_key_opens_is_counted_and_left(app: Any, world: Any, keys: str) -> None:
    bot = world.bot()
    cipher.set_key(NEW)
    before = db.session.scalar(text("SELECT token FROM bot"))
    results = {one.name: one for one in sealed.reseal(lambda *_: None)}
    assert results["bot.token"][1:] == (0, 1)
    assert db.session.scalar(text("SELECT token FROM bot WHERE id = :id"), {"id": bot}) == before


def test_webhooks_are_set_anew_after_it(
    app: Any, world: Any, keys: str, change_settings: Any
) -> None:
    world.bot(webhook_url="https://old")
    assert sealed.webhooks_to_renew() == 0  # nobody calls us without an address
    change_settings(public_url="https://gatepost.example")
    sealed.reseal(lambda *_: None)
    assert sealed.webhooks_to_renew() == 1
