"""A server that answers everything with one body."""

from aiohttp import web


class Echo:
    def __init__(self, body: bytes) -> None:
        self._body = body

    async def start(self, host: str, port: int) -> int:
        async def answer(_request: web.Request) -> web.Response:
            return web.Response(body=self._body)

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        await self._runner.cleanup()
