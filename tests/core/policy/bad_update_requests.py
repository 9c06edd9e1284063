"""Requests about updates with a fault, and what the server says; see bad_requests.py."""

from __future__ import annotations

from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import UpdateWorkflowExecutionLifecycleStage as Stage
from temporalio.api.update.v1 import Input, Meta, Request, UpdateRef, WaitPolicy
from temporalio.api.workflowservice.v1 import PollWorkflowExecutionUpdateRequest, UpdateWorkflowExecutionRequest

from tests.core.policy.bad_requests import EXECUTION, LONG, Bad

PERMISSION_DENIED = 7
NO_UUID = WorkflowExecution(workflow_id="w", run_id="no-uuid")
ADMITTED = WaitPolicy(lifecycle_stage=Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED)


def update(meta: Meta | None = None, **changes: Any) -> UpdateWorkflowExecutionRequest:
    """A good update, changed; None clears a field."""
    request = Request(meta=meta or Meta(update_id="u"), input=Input(name="set"))
    fields = {"namespace": "default", "workflow_execution": EXECUTION, "request": request, **changes}
    return UpdateWorkflowExecutionRequest(**{name: value for name, value in fields.items() if value is not None})


def poll(**fields: Any) -> PollWorkflowExecutionUpdateRequest:
    return PollWorkflowExecutionUpdateRequest(namespace="default", **fields)


BAD_UPDATE_REQUESTS: list[Bad] = [
    Bad(update(workflow_execution=None), "Execution is not set on request."),
    Bad(update(workflow_execution=WorkflowExecution()), "WorkflowId is not set on request."),
    Bad(update(workflow_execution=NO_UUID), "Invalid RunId."),
    Bad(update(request=None), "Update meta is not set on request."),
    Bad(update(request=Request(input=Input(name="set"))), "Update meta is not set on request."),
    Bad(update(Meta(update_id=LONG)), "UpdateId length exceeds limit."),
    Bad(update(request=Request(meta=Meta())), "Update input is not set on request."),
    Bad(update(request=Request(meta=Meta(), input=Input())), "Update name is not set on request."),
    Bad(
        update(wait_policy=ADMITTED),
        "UpdateWorkflowExecution issued asynchronously and waiting on update admitted is not supported.",
        PERMISSION_DENIED,
    ),
    Bad(poll(), "UpdateRef is not set on request."),
    Bad(poll(update_ref=UpdateRef(update_id="u")), "Can't load workflow execution.  WorkflowId not set."),
    Bad(poll(update_ref=UpdateRef(workflow_execution=NO_UUID, update_id="u")), "RunId is not valid UUID."),
]
