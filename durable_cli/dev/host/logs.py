"""What workflows, activities and the SDK log is shown, as a program of the user's own would set it up."""

from __future__ import annotations

import logging

import temporalio.activity
import temporalio.workflow


def set_up() -> None:
    """Show what is logged from INFO on, on stderr, unless the user's modules have set logging up themselves."""
    if logging.getLogger().handlers:
        return
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    # That a worker ends is said already.
    logging.getLogger("temporalio.worker").setLevel(logging.WARNING)
    # The log of one project on one screen: what it says is enough, without all that the SDK knows about the context.
    temporalio.activity.logger.activity_info_on_message = False
    temporalio.workflow.logger.workflow_info_on_message = False
