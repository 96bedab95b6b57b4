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

#: What a route is asked, by name: the members of a body, or the parameters of a query.
Asked = dict[str, Any]


def routes(double: BotApiDouble) -> list[web.RouteDef]:
    """Return the routes. Wrong input is answered 400, with what is wrong."""
    posts, gets = _orders(double).items(), _questions(double).items()
    return [
        *(web.post(f"/sandbox/{name}", _answering(act)) for name, act in posts),
        *(web.get(f"/sandbox/{name}", _answering(tell)) for name, tell in gets),
    ]


def _orders(double: BotApiDouble) -> dict[str, Callable[[Asked], Any]]:
    def add_bot(asked: Asked) -> bool:
        double.add_bot(asked["token"], asked["username"], asked.get("name", "A bot"))
        return True

    def push(asked: Asked) -> list[int]:
        updates = asked["updates"] if "updates" in asked else [asked["update"]]
        return [double.push(asked["token"], update) for update in updates]

    def fail(asked: Asked) -> bool:
        times, whom = int(asked.get("times", 1)), {key: asked.get(key) for key in ("chat", "user")}
        double.fail(asked["token"], asked["method"], asked["fault"], times, **whom)
        return True

    def pay(asked: Asked) -> str:
        person = Person(int(asked["person"]))
        return double.pay(asked["token"], asked["invoice"], person).state.value

    def withdraw(asked: Asked) -> bool:
        person, chat = Person(int(asked["person"])), Chat(int(asked["chat"]))
        return double.withdraw(asked["token"], person, chat)

    return {"bots": add_bot, "push": push, "fail": fail, "pay": pay, "withdraw": withdraw}


def _questions(double: BotApiDouble) -> dict[str, Callable[[Asked], Any]]:
    def sent(asked: Asked) -> list[Asked]:
        return [asdict(message) for message in double.sent(asked.get("token"))]

    def calls(asked: Asked) -> list[Asked]:
        return [asdict(call) for call in double.calls(asked.get("token"), asked.get("method"))]

    return {
        "sent": sent,
        "calls": calls,
        "pending": lambda asked: double.pending(asked["token"]),
        "requests": lambda asked: double.join_requests(asked["token"], Chat(int(asked["chat"]))),
        "state": lambda _asked: {"violations": double.violations, "failures": double.failures},
    }


def _answering(act: Callable[[Asked], Any]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        try:
            asked = await request.json() if request.method == "POST" else dict(request.query)
            return web.json_response(act(asked))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)

    return answer
