"""What the fixtures raise; each message says what to do."""

from __future__ import annotations

__all__ = [
    "DxError",
    "ReplayFailedError",
    "ServerEndedError",
    "ServerNotStartedError",
    "StuckError",
    "WorkflowTaskFailedError",
]


class DxError(Exception):
    """A fixture can't do what was asked, or has found out why a test can't succeed."""


class ServerNotStartedError(DxError):
    """The local server did not start."""


class ServerEndedError(DxError):
    """The local server has ended while tests still needed it."""


class StuckError(DxError):
    """A workflow of this test can't get on, so that to wait for it would take for ever."""

    def __init__(self, message: str, *, workflow_id: str = "", run_id: str = "", workflow_type: str = "") -> None:
        super().__init__(message)
        self.workflow_id = workflow_id
        self.run_id = run_id
        self.workflow_type = workflow_type


class WorkflowTaskFailedError(StuckError):
    """Workflow code raised, or did not match its history: the server would try its workflow task again for ever."""


class ReplayFailedError(DxError):
    """Workflow code does not match a history that it, or an earlier version of it, has made."""
