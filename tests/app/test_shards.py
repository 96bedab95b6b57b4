"""What would cross shards, if the tables were spread by account: docs/scaling.md.

The lists here are what remains to be done on that day. A statement or an index that makes them
longer is a decision; one that makes them shorter is to be struck off.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import UniqueConstraint, event

from app.extensions import db
from app.models import Base
from app.sandbox.telegram import people
from app.services.leads import query
from app.services.leads.stats import counts
from app.services.lists.scope import Scope
from app.services.postbacks import log
from tests.support import ROOT
from tests.support.delivery import Exchange, clock, deliver
from tests.support.stage import NOW

__all__ = ["clock", "deliver"]

#: Ids that belong to one account, so that the account could stand beside them in a key.
OWNED = {
    "account_id", "bot_id", "campaign_id", "destination_id", "lead_id", "media_id",
    "postback_id", "source_id",
}  # fmt: skip

#: Unique indexes whose values are unique in the whole installation. Each table would be kept
#: whole on every node, or have a small table of its own that says which account a value is of.
GLOBAL = {
    "account.login": "how an account is called",
    "account.tg_id": "the person who logs in",
    "bot.tg_id": "a bot is connected once",
    "bot.webhook_path": "Telegram's calls name nothing else",
    "campaign.chat_id": "a chat is tracked once",
    "campaign.code": "a start link names nothing else",
    "click.token": "a start brings nothing else",
    "event_key.key_hash": "a sender brings nothing else",
    "invite.link_key": "a join brings nothing else",
    "join_request.chat_id subscriber asked": "its chat has one account",
    "login.nonce_hash": "a page that logs in knows nothing else",
    "media.code": "an address of a picture names nothing else",
    "payment.gateway charge": "money counts once",
    "payment.ref": "a gateway names nothing else",
    "session.token_hash": "a cookie holds nothing else",
    "site.public_id": "a page names nothing else",
    "source.code": "a link in an ad names nothing else",
    "transfer_token.token_hash": "who takes a transfer names nothing else",
}

#: Tables of which every account has rows without end: these would be spread.
SPREAD = {"attempt", "click", "journal", "lead", "message", "postback", "telegram_update"}

#: Statements on them that name no account, and why that can be mended.
BY_ID = {
    "WITH telegram_update": "which bots have updates that wait: each node is asked for its own",
    "UPDATE telegram_update": "the batch knows the bot of each row",
    "UPDATE lead": "the batch knows the account of each row",
    "UPDATE postback": "who settles knows the account of each row",
}

#: What an id of an account stands for: a filter by one, or a join on one.
NAMED = re.compile(
    r"\b(?:account_id|bot_id|campaign_id|destination_id|lead_id|postback_id)\s*(?:=|IN\b)|"
    r"\b(?:bot_id|account_id|destination_id|lead_id|campaign_id), \w+\) (?:=|IN)"
)
#: What a statement changes, also beside rows that it adds.
CHANGED = re.compile(r"\bUPDATE (\w+)")
TABLES = re.compile(r"\b(?:FROM|JOIN|UPDATE|INTO)\s+(?:ONLY\s+)?(\w+)", re.IGNORECASE)


def test_every_unique_index_could_name_the_account_or_says_why_not():
    stray = {}
    for table in Base.metadata.sorted_tables:
        unique = [index for index in table.indexes if index.unique]
        keys = [key for key in table.constraints if isinstance(key, UniqueConstraint)]
        for columns in ([column.name for column in one.columns] for one in (*unique, *keys)):
            if not OWNED & set(columns):
                stray[f"{table.name}.{' '.join(columns)}"] = True
    assert set(stray) == set(GLOBAL)


@pytest.fixture
def statements(live_app: Any) -> Iterator[list[str]]:
    """The statements that were executed, in order."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield seen
    event.remove(db.engine, "before_cursor_execute", note)


def crossing(statements: list[str]) -> set[str]:
    """Statements on spread tables that name neither an account nor what is its own."""
    seen = set()
    for statement in statements:
        tables = [name for name in TABLES.findall(statement) if name in SPREAD]
        if tables and not NAMED.search(statement) and not statement.startswith("INSERT"):
            changed = [name for name in CHANGED.findall(statement) if name in SPREAD]
            verb = "UPDATE" if changed else statement.split(maxsplit=1)[0].upper()
            seen.add(f"{verb} {(changed or tables)[0]}")
    return seen


def test_the_way_of_an_update_crosses_only_where_it_is_known(stage, deliver, statements):
    """From its store to the settled postback; rows are then written back by their ids."""
    person, chat = people.Person(101), people.Chat(stage.chat, "x")
    stage.play(
        people.start(person, f"{stage.code}-abc"),
        people.join(person, chat),
        people.leave(person, chat),
    )
    assert deliver(Exchange()) > 0
    assert crossing(statements) == set(BY_ID)


def test_what_an_account_asks_for_names_it(stage, deliver, statements):
    stage.play(people.start(people.Person(101), f"{stage.code}-abc"))
    deliver(Exchange())
    lead, (postback, *_) = stage.lead(101), stage.postbacks()
    assert lead is not None
    statements.clear()
    query.listed(stage.account, limit=10, offset=0)
    query.explained(stage.account, lead.id)
    log.listed(stage.account, limit=10, offset=0)
    log.explained(stage.account, postback.id)
    counts.summary(Scope(account_id=stage.account, now=NOW))
    assert len(statements) > 5
    assert crossing(statements) == set()


def test_the_document_names_what_is_listed_here():
    told = (ROOT / "docs" / "scaling.md").read_text()
    assert not [name for name in GLOBAL if f"`{name.split()[0]}" not in told]
    assert not [name for name in BY_ID if f"`{name}`" not in told]
    assert not [table for table in SPREAD if f"`{table}`" not in told]
