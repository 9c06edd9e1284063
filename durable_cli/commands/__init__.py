"""Every command of `dx`, by name, with its one-line summary.

`a b-c` is the attribute `command` of `durable_cli.commands.a.b_c`; nothing of it is imported to list it here.
"""

from __future__ import annotations

from durable_cli.lazy import Group

__all__ = ["ROOT"]

ROOT = Group(
    "Durable workflows on your machine: a local Temporal server, and commands for any Temporal server.",
    {
        "new": "Make a project from a template.",
        "dev": "Run a project: server and workers, replaced on every save.",
        "server": Group(
            "Run the local server.",
            {"start-dev": "Start the local server."},
        ),
        "worker": Group(
            "Run a project's workers.",
            {"run": "Run one worker for a server that is there already."},
        ),
        "workflow": Group(
            "Start workflows, talk to them, and look at them.",
            {
                "start": "Start a workflow and return at once.",
                "execute": "Start a workflow, follow it, and print its result.",
                "signal": "Send a signal to a workflow, or to all that match a query.",
                "query": "Ask a workflow for its state.",
                "describe": "Show what a workflow is doing.",
                "show": "Show a workflow's event history.",
                "list": "List workflows.",
                "count": "Count workflows.",
                "result": "Wait for a workflow's result and print it.",
                "cancel": "Ask a workflow, or all that match a query, to cancel.",
                "terminate": "End a workflow, or all that match a query, at once.",
                "reset": "Let a workflow, or all that match a query, go on from an earlier point.",
            },
        ),
        "time": Group(
            "Move the clock of a local server.",
            {
                "status": "Show the clock, and what is due next.",
                "skip": "Move the clock forward, past everything that falls due.",
                "pause": "Stop the clock.",
                "resume": "Let the clock go on.",
                "auto": "Let the clock jump whenever nothing is in flight.",
            },
        ),
        "tui": "Browse workflows and their histories in the terminal.",
        "ui": "Browse workflows and their histories in a web page.",
    },
)
