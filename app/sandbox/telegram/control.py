"""The double's controls over HTTP, for processes that are not this one.

POST /sandbox/bots     {"token", "username", "name"?}
POST /sandbox/push     {"token", "update"} or {"token", "updates": […]}
POST /sandbox/fail     {"token", "method", "fault", "times"?, "chat"?, "user"?}
POST /sandbox/pay      {"token", "invoice": link or "chat/message", "person": its Telegram id}
POST /sandbox/withdraw {"token", "person", "chat"}: a join request is taken back
GET  /sandbox/sent     ?token=      GET /sandbox/calls    ?token=&method=
GET  /sandbox/pending  ?token=      GET /sandbox/requests ?token=&chat=
GET  /sandbox/state
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aiohttp import web

from app.sandbox.telegram.people import Chat, Person

if TYPE_CHECKING:
    from app.sandbox.telegram.server import BotApiDouble

Answer = Callable[[web.Request], Awaitable[web.Response]]


def routes(double: BotApiDouble) -> list[web.RouteDef]:
    """Return the routes. Wrong input is answered 400, with what is wrong."""
    return [*_orders(double), *_questions(double)]


def _orders(double: BotApiDouble) -> list[web.RouteDef]:
    def add_bot(body: dict[str, Any]) -> Any:
        double.add_bot(body["token"], body["username"], body.get("name", "A bot"))
        return True

    def push(body: dict[str, Any]) -> Any:
        updates = body["updates"] if "updates" in body else [body["update"]]
        return [double.push(body["token"], update) for update in updates]

    def fail(body: dict[str, Any]) -> Any:
        times, whom = int(body.get("times", 1)), {key: body.get(key) for key in ("chat", "user")}
        double.fail(body["token"], body["method"], body["fault"], times, **whom)
        return True

    def pay(body: dict[str, Any]) -> Any:
        checkout = double.pay(body["token"], body["invoice"], Person(int(body["person"])))
        return checkout.state.value

    def withdraw(body: dict[str, Any]) -> Any:
        return double.withdraw(body["token"], Person(int(body["person"])), Chat(int(body["chat"])))

    return [
        web.post("/sandbox/bots", _posted(add_bot)),
        web.post("/sandbox/push", _posted(push)),
        web.post("/sandbox/fail", _posted(fail)),
        web.post("/sandbox/pay", _posted(pay)),
        web.post("/sandbox/withdraw", _posted(withdraw)),
    ]


def _questions(double: BotApiDouble) -> list[web.RouteDef]:
    def sent(query: dict[str, Any]) -> Any:
        return [asdict(message) for message in double.sent(query.get("token"))]

    def calls(query: dict[str, Any]) -> Any:
        return [asdict(call) for call in double.calls(query.get("token"), query.get("method"))]

    def pending(query: dict[str, Any]) -> Any:
        return double.pending(query["token"])

    def requests(query: dict[str, Any]) -> Any:
        return double.join_requests(query["token"], Chat(int(query["chat"])))

    def state(_query: dict[str, Any]) -> Any:
        return {"violations": double.violations, "failures": double.failures}

    return [
        web.get("/sandbox/sent", _asked(sent)),
        web.get("/sandbox/calls", _asked(calls)),
        web.get("/sandbox/pending", _asked(pending)),
        web.get("/sandbox/requests", _asked(requests)),
        web.get("/sandbox/state", _asked(state)),
    ]


def _posted(act: Callable[[dict[str, Any]], Any]) -> Answer:
    async def answer(request: web.Request) -> web.Response:
        try:
            return web.json_response(act(await request.json()))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)

    return answer


def _asked(tell: Callable[[dict[str, Any]], Any]) -> Answer:
    async def answer(request: web.Request) -> web.Response:
        try:
            return web.json_response(tell(dict(request.query)))
        except (KeyError, ValueError) as error:
            return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)

    return answer
