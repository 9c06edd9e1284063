"""QueryWorkflow."""

from __future__ import annotations

from temporalio.api.enums.v1.query_pb2 import QUERY_REJECT_CONDITION_NONE, QUERY_REJECT_CONDITION_NOT_OPEN
from temporalio.api.enums.v1.workflow_pb2 import WORKFLOW_EXECUTION_STATUS_COMPLETED
from temporalio.api.query.v1 import QueryRejected
from temporalio.api.workflowservice.v1 import QueryWorkflowRequest, QueryWorkflowResponse

from engine.core.policy.client_requests import validate_query_workflow
from engine.core.run.state import RunState
from engine.runtime.query_workflow import MAXIMUM_SECONDS
from engine.runtime.query_workflow import query_workflow as ask_worker
from engine.service.service import Call, Service, get_namespace

__all__ = ["query_workflow"]


async def query_workflow(service: Service, request: QueryWorkflowRequest, call: Call) -> QueryWorkflowResponse:
    """Ask a workflow's worker, unless the run's state is one that the caller does not want to ask."""
    engine = service.engine
    namespace = get_namespace(service, request.namespace)
    validate_query_workflow(request, engine.limits)
    state = engine.get_run(namespace, request.execution)
    if _is_rejected(state, request.query_reject_condition):
        return QueryWorkflowResponse(query_rejected=QueryRejected(status=state.status))  # type: ignore[arg-type]
    remaining = call.time_remaining()
    # The answer, also that there is none, must reach the caller before its deadline.
    seconds = MAXIMUM_SECONDS if remaining is None else min(MAXIMUM_SECONDS, remaining - min(0.5, remaining / 10))
    result = await ask_worker(engine, state, request.query, seconds)
    return QueryWorkflowResponse(query_result=result.answer if result.HasField("answer") else None)


def _is_rejected(state: RunState, condition: int) -> bool:
    if state.running or condition == QUERY_REJECT_CONDITION_NONE:
        return False
    return condition == QUERY_REJECT_CONDITION_NOT_OPEN or state.status != WORKFLOW_EXECUTION_STATUS_COMPLETED
