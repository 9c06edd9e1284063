"""`dx tui`: the history browser, on any Temporal server."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from durable_cli.errors import CliError
from durable_cli.options import ConnectionOptions, GlobalOptions, WorkflowReference, attach, command, option

__all__ = ["command"]

MEANINGLESS_HERE = frozenset({"output", "time_format", "no_json_shorthand_payloads", "log_level", "log_format"})


@attach("reference", WorkflowReference)
@option("--read-only", is_flag=True, help="Only look: nothing that would change a workflow can be done.")
@option("--history", type=Path, metavar="FILE", help="Browse a history from a JSON file; no server is needed.")
@option("--view", hidden=True, default="", help="The view of the workflow to begin with.")
@option("--place", hidden=True, default="", help="The main screen to begin with.")
@option("--end-with-fd", type=int, hidden=True, help="End when this inherited pipe closes.")
@option("--dev-journal", metavar="PATH", hidden=True, help="Journal of the `dx dev` to attach to.")
@attach("global_options", GlobalOptions, hidden=MEANINGLESS_HERE)
@attach("connection", ConnectionOptions)
def tui(
    *,
    global_options: GlobalOptions,
    connection: ConnectionOptions,
    reference: WorkflowReference,
    read_only: bool,
    history: Path | None,
    view: str,
    place: str,
    end_with_fd: int | None,
    dev_journal: str | None,
) -> int:
    """Browse workflows and their histories in the terminal.

    With a workflow id, that workflow is opened at once. In a project's folder it is attached to the project's `dx dev`.

    \b
    dx tui
    dx tui order-1 --address localhost:7000
    dx tui --history order-1_history.json
    """
    if "TEXTUAL_DRIVER" not in os.environ:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise CliError(
                "the browser needs a terminal", "`dx ui` shows the same in a web page; `dx workflow list` prints"
            )
        # Exported, they would outweigh the terminal's own size, and the browser would not follow a resize.
        os.environ.pop("COLUMNS", None)
        os.environ.pop("LINES", None)
    from durable_cli.tui.app import BrowserApp
    from durable_cli.tui.cleaning import collect_less

    collect_less()
    app = BrowserApp(
        global_options,
        connection,
        workflow_id=reference.workflow_id,
        run_id=reference.run_id,
        view=view,
        place=place,
        history_file=history,
        is_read_only=read_only,
        end_with_fd=end_with_fd,
        dev_journal=Path(dev_journal or "."),
    )
    app.run()
    return app.return_code or 0


command = command(tui)
