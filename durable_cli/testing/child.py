"""The server process of a test session; it is run by its path, and imports nothing of this package.

Its first line of stdin says what to serve and where to find modules; the end of stdin, or of the parent, ends it: so no
server is left behind, whatever becomes of the tests' process. Its one line of stdout says where it listens, or why not.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import threading
import time

__all__ = ["main"]

_LOOK_AT_PARENT_SECONDS = 1.0
_STOP_SECONDS = 5.0


def main() -> None:
    """Serve in memory on a free port until the parent is gone."""
    request = json.loads(sys.stdin.buffer.readline())
    # Last, so that a module of the tests can't stand for one of the server's.
    sys.path += [folder for folder in request["path"] if folder not in sys.path]
    threading.Thread(target=_end_with_parent, args=(request["parent"],), daemon=True).start()

    from durable_cli.engine_pin import pin_engine

    pin_engine()

    from engine.serve import ServeError, ServeOptions, serve

    options = ServeOptions(
        port=0, dynamic_config={key.lower(): value for key, value in request["dynamic_config"].items()}
    )
    try:
        serve(options, on_ready=lambda info: _say({"address": info.address}))
    except ServeError as error:
        _say({"error": error.message, "hint": error.hint})


def _say(what: dict[str, str]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def _end_with_parent(parent: int) -> None:
    """Stop the server once nobody holds the other end of stdin, or the parent is another.

    Both are looked at: a process that the tests have forked may hold the pipe open longer than they live.
    """
    while os.getppid() == parent:
        readable, _, _ = select.select([0], [], [], _LOOK_AT_PARENT_SECONDS)
        if readable and not os.read(0, 1024):
            break
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_STOP_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    main()
