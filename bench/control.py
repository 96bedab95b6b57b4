"""The control: the same work by a plain aiogram 3 bot, as one would write it.

It stores the lead with asyncpg, fires the GET with aiohttp at once, inside
the webhook's request, and keeps nothing: no inbox, no retry, no attempt, no
journal. `python -m bench.control` serves one process of it. Handling inside
the request is kind to it: the default answers first, and then loses accepted
updates whenever the process ends.
"""

import argparse
import asyncio
import sys
import time
from dataclasses import dataclass

import aiohttp
import asyncpg  # type: ignore[import-untyped]
from aiogram import Bot, Dispatcher, Router
from aiogram.filters import JOIN_TRANSITION, ChatMemberUpdatedFilter, CommandObject, CommandStart
from aiogram.types import ChatMemberUpdated, Message
from aiogram.webhook.aiohttp_server import SimpleRequestHandler
from aiohttp import web

from bench.audience import Door, doors_from_json

SCHEMA = """
CREATE TABLE IF NOT EXISTS lead (
    id bigserial PRIMARY KEY, bot bigint NOT NULL, chat bigint NOT NULL,
    subscriber bigint NOT NULL, username text, click text NOT NULL, state text NOT NULL,
    start_time bigint NOT NULL, join_time bigint, UNIQUE (chat, subscriber)
)
"""
STARTED = """
INSERT INTO lead (bot, chat, subscriber, username, click, state, start_time)
VALUES ($1, $2, $3, $4, $5, 'wait', $6)
ON CONFLICT (chat, subscriber) DO UPDATE SET click = excluded.click RETURNING id
"""
JOINED = """
UPDATE lead SET state = 'approve', join_time = $3
WHERE chat = $1 AND subscriber = $2 AND state <> 'approve' RETURNING id, click
"""

router = Router()


@dataclass(frozen=True, slots=True)
class Campaigns:
    """The campaigns by code, and the connections to the database and the tracker."""

    chats: dict[str, int]  # by code
    template: str
    pool: asyncpg.Pool
    http: aiohttp.ClientSession

    async def fire(self, click: str, status: str, lead: int) -> None:
        """Tell the tracker, once."""
        url = self.template.format(click=click, status=status, lead=lead)
        async with self.http.get(url) as answer:
            await answer.read()


@router.message(CommandStart(deep_link=True))
async def on_start(message: Message, command: CommandObject, campaigns: Campaigns) -> None:
    """A person came by a campaign's link."""
    code, _, click = (command.args or "").partition("-")
    chat, person = campaigns.chats.get(code), message.from_user
    if chat is None or person is None or message.bot is None:
        return
    lead = await campaigns.pool.fetchval(
        STARTED, message.bot.id, chat, person.id, person.username, click, int(time.time())
    )
    await campaigns.fire(click, "wait", lead)


@router.chat_member(ChatMemberUpdatedFilter(JOIN_TRANSITION))
async def on_join(event: ChatMemberUpdated, campaigns: Campaigns) -> None:
    """A person joined; a tracked one is reported."""
    person = event.new_chat_member.user
    row = await campaigns.pool.fetchrow(
        JOINED, event.chat.id, person.id, int(event.date.timestamp())
    )
    if row is not None:
        await campaigns.fire(row["click"], "approve", row["id"])


async def application(doors: list[Door], database: str, template: str) -> web.Application:
    """The bots of all doors behind one dispatcher."""
    pool = await asyncpg.create_pool(database)  # ten connections
    async with pool.acquire() as connection:
        await connection.execute("SELECT pg_advisory_lock(1)")
        await connection.execute(SCHEMA)
        await connection.execute("SELECT pg_advisory_unlock(1)")
    chats = {door.code: door.chat for door in doors}
    campaigns = Campaigns(chats, template, pool, aiohttp.ClientSession())
    dispatcher = Dispatcher(campaigns=campaigns)
    dispatcher.include_router(router)
    app = web.Application()
    for door in doors:
        bot = Bot(f"{door.bot}:control")
        handler = SimpleRequestHandler(
            dispatcher, bot, handle_in_background=False, secret_token=door.secret
        )
        handler.register(app, f"/telegram/{door.path}")
    return app


async def serve(port: int, database: str, template: str) -> None:
    """Listen until killed. Several processes may share the port."""
    doors = doors_from_json(sys.stdin.read())
    runner = web.AppRunner(await application(doors, database, template), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, reuse_port=True, backlog=1024).start()
    await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--template", required=True)
    asked = parser.parse_args()
    asyncio.run(serve(asked.port, asked.database, asked.template))


if __name__ == "__main__":
    main()
