"""The address `/bot<token>/<method>`: from a request to a method's answer."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from app.sandbox.telegram.bot.state import BotState
from app.sandbox.telegram.call import Caller, Result
from app.sandbox.telegram.core import Core
from app.sandbox.telegram.faults import CONFLICT, Refusal
from app.sandbox.telegram.http import as_json, misbehave, parameters
from app.sandbox.telegram.log import Call
from app.sandbox.telegram.methods.table import METHODS
from app.sandbox.telegram.methods.webhooks import poll

PATH: Final = "/bot{token:[^/]+}/{method}"
MAX_POLL_SECONDS: Final = 50


class Endpoint:
    """Answers the calls of all bots. Lives in the server's event loop."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one call, or fail as it was ordered."""
        bot = self._core.bots.get(request.match_info["token"])
        method = request.match_info["method"]
        if bot is None:
            return as_json(Refusal(401, "Unauthorized"))
        params = await parameters(request)
        call = Call(time.time(), bot.token, method, params)
        self._core.log.add_call(call)
        with self._core.lock:
            fault = bot.faults.take(method, params)
        if fault is None:
            return await self._perform(bot, call)
        return await misbehave(fault, request, lambda: self._perform(bot, call))

    async def _perform(self, bot: BotState, call: Call) -> web.StreamResponse:
        method, params = call.method.lower(), call.params
        try:
            if method == "getupdates":
                return as_json(Result(await self._long_poll(bot, params)))
            if method not in METHODS:
                return as_json(Refusal(404, "Not Found"))
            result = self._core.run(METHODS[method], bot, params)
        except Refusal as refusal:
            if method == "setwebhook":
                await self._core.senders.reset(bot)
            return as_json(refusal)
        if result.sent:
            self._core.log.add_sent(result.sent)
        self._core.log.publish(call)
        if result.then:
            self._core.push(bot.token, result.then)
        if result.webhook_changed:
            await self._core.senders.reset(bot)
        return as_json(result)

    async def _long_poll(self, bot: BotState, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Answer getUpdates. A second one at the same time ends the first.

        Raises Refusal in the one that was ended.
        """
        polling = bot.polling
        polling.calls += 1
        own_number = polling.calls
        polling.news.set()  # wakes an older poll, which then sees that it is not the last
        end = time.monotonic() + self._core.run(_poll_seconds, bot, params)
        while True:
            polling.news.clear()
            updates = self._core.run(poll, bot, params)
            if updates or (left := end - time.monotonic()) <= 0:
                return updates
            try:
                await asyncio.wait_for(polling.news.wait(), left)
            except TimeoutError:
                return []
            if polling.calls != own_number:
                polling.news.set()
                raise CONFLICT.refusal()


def _poll_seconds(call: Caller) -> int:
    return min(max(call.number("timeout"), 0), MAX_POLL_SECONDS)
