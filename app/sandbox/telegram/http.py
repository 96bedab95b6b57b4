"""From HTTP to a method's parameters, and from its result to HTTP."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from app.sandbox.telegram.call import Result
from app.sandbox.telegram.faults import Fault, Manner, Refusal


async def parameters(request: web.Request) -> dict[str, Any]:
    """Return query and body together: JSON, form or multipart. A file becomes its name and size."""
    params: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        try:
            body = json.loads(await request.read() or b"{}")
        except ValueError:
            body = None
        return params | (body if isinstance(body, dict) else {})
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            params[name] = {"file": value.filename, "size": len(value.file.read())}
            value.file.close()
        else:
            params[name] = value
    return params


def as_json(answer: Result | Refusal) -> web.Response:
    """Return an answer as Telegram sends it; a flood wait is in a header too."""
    if isinstance(answer, Refusal):
        headers = {}
        if wait := answer.parameters.get("retry_after"):
            headers["Retry-After"] = str(wait)
        return web.json_response(answer.payload(), status=answer.code, headers=headers)
    body = {"ok": True, "result": answer.value}
    if answer.description:
        body["description"] = answer.description
    return web.json_response(body)


async def misbehave(
    fault: Fault, request: web.Request, perform: Callable[[], Awaitable[object]]
) -> web.StreamResponse:
    """Answer as a fault has it; RESET and MALFORMED perform the call first."""
    if fault.manner is Manner.REFUSE:
        return as_json(fault.refusal())
    if fault.manner is Manner.HANG:
        await asyncio.sleep(3600)
    if fault.manner in (Manner.RESET, Manner.MALFORMED):
        await perform()
    if fault.manner is Manner.MALFORMED:
        return web.Response(body=b'{"ok":true,"resu', content_type="application/json")
    if request.transport:
        request.transport.abort()
    return web.Response()
