"""microburst between the function and a stand-in for AWS: throttled, reset, and torn on the way.

Its own relay names the upstream's Host, spells paths anew and leaves lengths out. Here the request passes as it was
signed, and the answer to a HEAD keeps the length that it is asked for.
"""

import asyncio
import threading

from aiohttp import web
from microburst.app import make_app
from microburst.core.pipeline import Microburst
from microburst.forward import Upstream
from yarl import URL


class AsSigned(Upstream):
    """An upstream that gets the very request."""

    async def start(self):
        await super().start()
        ask = self.session.request
        # A path that is text would be quoted anew: `%3D` would be `=`.
        self.session.request = lambda method, url, **more: ask(method, URL(url, encoded=True), **more)

    def _outbound_headers(self, request):
        headers = super()._outbound_headers(request)
        for name in ("Host", "Content-Length"):
            if name in request.headers:
                headers[name.lower()] = request.headers[name]
        return headers

    async def relay(self, request, body, mutator=None, data=None):
        if request.method != "HEAD":
            return await super().relay(request, body, mutator, data)
        url = URL(self.base_url + request.raw_path, encoded=True)
        async with self.session.head(url, headers=self._outbound_headers(request)) as answer:
            gone = ("connection", "transfer-encoding")
            headers = {name: value for name, value in answer.headers.items() if name.lower() not in gone}
            return web.Response(status=answer.status, headers=headers)


class Flaky:
    """Runs from the `with` on, with rules as microburst has them."""

    def __init__(self, upstream, rules):
        self.app = Microburst(upstream, rules, resign=False)
        self.app.upstream = AsSigned(upstream, stats=self.app.stats)
        self.loop = asyncio.new_event_loop()
        self.url = None

    def fired(self):
        """How often which fault hit which operation: {(operation, action): count}."""
        found = {}
        for event in list(self.app.fired):
            operation = "UploadPart" if "partNumber=" in event.path else event.operation
            key = (f"{event.service}:{operation}", event.action)
            found[key] = found.get(key, 0) + 1
        return found

    def __enter__(self):
        self.runner = web.AppRunner(make_app(self.app), access_log=None)

        async def listen():
            await self.runner.setup()
            site = web.TCPSite(self.runner, "127.0.0.1", 0)
            await site.start()
            return site._server.sockets[0].getsockname()[1]

        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{asyncio.run_coroutine_threadsafe(listen(), self.loop).result(30)}"
        return self

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self.runner.cleanup(), self.loop).result(60)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(30)
