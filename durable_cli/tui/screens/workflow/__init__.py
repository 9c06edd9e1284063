"""One workflow: a summary on top, and below it one view a file.

`screen.py` holds the run's book and gives it to the views; a view is made when it is first looked at, and told of news
only while it is.
"""

from durable_cli.tui.screens.workflow.screen import WorkflowScreen

__all__ = ["WorkflowScreen"]
