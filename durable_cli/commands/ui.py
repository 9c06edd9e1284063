"""`dx ui`: the browser's screens in a web page on this machine."""

from __future__ import annotations

import socket
import sys

from durable_cli.errors import CliError
from durable_cli.options import ConnectionOptions, GlobalOptions, attach, command, option, spell_options

__all__ = ["command"]

MEANINGLESS_HERE = frozenset(
    {"output", "color", "time_format", "no_json_shorthand_payloads", "log_level", "log_format"}
)


@option("-p", "--port", type=int, default=8233, show_default=True, help="Port of the page; 0 takes a free one.")
@option("--read-only", is_flag=True, help="Only look: nothing that would change a workflow can be done.")
@option("--listen-fd", type=int, hidden=True, help="Listening socket that is inherited; ends with standard input.")
@attach("global_options", GlobalOptions, hidden=MEANINGLESS_HERE)
@attach("connection", ConnectionOptions)
def ui(
    *,
    global_options: GlobalOptions,
    connection: ConnectionOptions,
    port: int,
    read_only: bool,
    listen_fd: int | None,
) -> None:
    """Browse workflows and their histories in a web page.

    It shows the screens of `dx tui`, at http://localhost:8233, to this machine alone. The links that SDKs and the
    official CLI print open there.

    \b
    dx ui
    dx ui --address localhost:7000 --port 9000
    """
    words = [*spell_options(global_options), *spell_options(connection), *(["--read-only"] if read_only else [])]
    if listen_fd is not None:
        from durable_cli.tui.web.door import end_with_stdin

        end_with_stdin()
        listener = socket.socket(fileno=listen_fd)
    else:
        listener = _listen(port)
        sys.stderr.write(f"http://localhost:{listener.getsockname()[1]}   (Ctrl-C ends it)\n")
    from durable_cli.tui.web.server import serve_pages

    serve_pages(listener, words)


command = command(ui)


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise CliError(
            f"can't listen on port {port}: {error.strerror}", "give another one with --port; 0 takes a free one"
        ) from None
