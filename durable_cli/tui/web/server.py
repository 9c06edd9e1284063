"""Serves the browser to a web browser: one `dx tui` process a page, talking over a WebSocket.

Rules:
- It is for this machine: requests must name a loopback host, and come from a page of this server (another site's page
  could otherwise drive the terminal; and a foreign name that points here would make its page one of ours).
- The page loads nothing from anywhere else.
"""

from __future__ import annotations

import asyncio
import shlex
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp_jinja2
import jinja2
from aiohttp import web
from textual_serve.server import Server

from durable_cli.tui.web.links import Place, find_place

__all__ = ["PageServer", "serve_pages"]

FOLDER = Path(__file__).parent
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def refuse_strangers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer 403 to what does not come from this machine's own pages."""
    host = urlsplit(f"//{request.host}").hostname
    if host not in LOOPBACK:
        raise web.HTTPForbidden(text=f"this page is at http://localhost only, not at {host}\n")
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{request.host}":
        raise web.HTTPForbidden(text="a page of another site asked for this\n")
    return await handler(request)


class PageServer(Server):
    """Serve as textual-serve does, with our page, our links and our doorkeeper; `options` are those of `dx tui`."""

    def __init__(self, options: Sequence[str]) -> None:
        super().__init__("dx tui", title="dx")
        self._options = list(options)
        self._sessions: set[asyncio.Task[Any]] = set()

    async def _make_app(self) -> web.Application:
        app = web.Application(middlewares=[refuse_strangers])
        app.on_shutdown.append(self._end_sessions)
        aiohttp_jinja2.setup(app, loader=jinja2.FileSystemLoader(FOLDER), autoescape=True)
        app.add_routes(
            [
                web.get("/ws{path:.*}", self.handle_websocket, name="websocket"),
                web.get("/download/{key}", self.handle_download, name="download"),
                web.static("/static", self.statics_path, name="static"),
                web.get("/{path:.*}", self.handle_index, name="page"),
            ]
        )
        return app

    async def handle_index(self, request: web.Request) -> web.StreamResponse:
        """Answer with the page whose terminal opens what the path says."""
        if find_place(request.rel_url.raw_path) is None:
            raise web.HTTPNotFound(text="there is nothing here; workflows are at /namespaces/default/workflows\n")
        # The page's script puts the terminal's size behind the address as its query, so the place is a path.
        websocket_url = f"ws://{request.host}/ws{request.rel_url.raw_path}"
        return aiohttp_jinja2.render_template("page.html", request, {"websocket_url": websocket_url})

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Run one browser for one page."""
        place = find_place(request.rel_url.raw_path.removeprefix("/ws")) or Place()
        session = Server(
            shlex.join([sys.executable, "-m", "durable_cli", "tui", *self._options, *place.words()]), title="dx"
        )
        session.download_manager = self.download_manager
        task = asyncio.current_task()
        assert task is not None
        self._sessions.add(task)
        try:
            return await session.handle_websocket(request)
        finally:
            self._sessions.discard(task)

    async def _end_sessions(self, app: web.Application) -> None:
        """End the browsers of all open pages, rather than wait for the pages to go."""
        sessions = list(self._sessions)
        for session in sessions:
            session.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)


def serve_pages(listener: socket.socket, options: Sequence[str]) -> None:
    """Serve on a listening socket until SIGINT or SIGTERM."""
    server = PageServer(options)
    web.run_app(server._make_app(), sock=listener, print=None, access_log=None)
