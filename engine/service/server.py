"""Run the server: from the options to a port that answers, until a signal."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable

from engine.core.policy.limits import Limits
from engine.runtime.clock import SystemEnv
from engine.runtime.engine import Engine
from engine.runtime.reads import Reads
from engine.serve import ServeError, ServeInfo, ServeOptions
from engine.service.admin_service import admin_routes
from engine.service.boot import create_namespaces, open_file
from engine.service.health import health_routes
from engine.service.log import configure_logging
from engine.service.reflection import reflection_routes
from engine.service.rpc_table import build_routes
from engine.service.service import Service
from engine.service.transport.routes import Route
from engine.service.transport.server import TransportServer
from engine.store.database import Database
from engine.store.runs import max_run_key
from engine.store.views import create_views

__all__ = ["run_server"]

# Calls that are still open when the server stops (queries, health watches) are cut off after this.
_STOP_GRACE_SECONDS = 0.3

logger = logging.getLogger("dx.service")


def run_server(options: ServeOptions, on_ready: Callable[[ServeInfo], None]) -> None:
    """Serve until SIGINT or SIGTERM; call `on_ready` once the port answers.

    Raises:
        ServeError: port in use, database file not usable, a search attribute that can't be registered.
    """
    configure_logging(options.log_level, options.log_format)
    with _bind(options) as listener:
        database = open_file(options)
        try:
            asyncio.run(_serve(options, listener, database, on_ready))
        except KeyboardInterrupt:
            pass  # Before the loop could take the signal itself.
        finally:
            database.close()


async def _serve(
    options: ServeOptions, listener: socket.socket, database: Database, on_ready: Callable[[ServeInfo], None]
) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    engine = Engine(
        database, SystemEnv(max_run_key(database.writer)), Limits.from_dynamic_config(options.dynamic_config)
    )
    create_namespaces(engine, options)
    create_views(database.writer)
    await engine.start()
    service = Service(engine, Reads(database), _host_port(options.ip, listener.getsockname()[1]))
    server = TransportServer(_build_routes(service, options))
    try:
        await server.start(listener)
    except OSError as error:
        raise _port_error(options, error.errno or 0) from None  # Bound by two, listened on by the other.
    # What is there now stays for good: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    on_ready(ServeInfo(service.address, options.db_filename))
    await stopping.wait()
    await engine.stop()
    await server.stop(_STOP_GRACE_SECONDS)
    service.reads.close()


def _build_routes(service: Service, options: ServeOptions) -> list[Route]:
    """Build all that is served; of a test server the TestService, too."""
    routes = [*build_routes(service), *admin_routes(service)]
    if options.time_skipping_locks is not None:
        from engine.service.test_service import test_service_routes

        routes += test_service_routes(service)
        service.engine.time_control.locks = options.time_skipping_locks
        service.engine.time_control.resume(automatic=True)
    services = {route.path.split("/")[1] for route in routes}
    return [*routes, *health_routes(services), *reflection_routes(services)]


def _bind(options: ServeOptions) -> socket.socket:
    """Take the port.

    Raises:
        ServeError: it can't be had.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in options.ip else socket.AF_INET, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((options.ip, options.port))
    except OSError as error:
        listener.close()
        raise _port_error(options, error.errno or 0) from None
    except OverflowError:
        listener.close()
        raise ServeError(f"there is no port {options.port}", "give a port between 0 and 65535") from None
    return listener


def _port_error(options: ServeOptions, number: int) -> ServeError:
    if number == errno.EADDRINUSE:
        return ServeError(
            f"port {options.port} on {options.ip} is in use",
            "stop what listens there, or take another one with --port (0 takes a free one)",
        )
    if number in (errno.EACCES, errno.EPERM):
        return ServeError(f"port {options.port} on {options.ip} is not allowed", "take a port above 1023 with --port")
    return ServeError(f"can't listen on {options.ip}", "give an address of this machine with --ip")


def _host_port(ip: str, port: int) -> str:
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"
