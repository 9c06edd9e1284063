"""Which run a worker's answer is for: its token, checked against the request's namespace."""

from __future__ import annotations

from engine.core.errors import InvalidArgument, NotFound
from engine.core.inputs import RunRef
from engine.core.matching.task_token import ActivityTaskToken, QueryTaskToken, WorkflowTaskToken
from engine.core.namespace import Namespace
from engine.service.service import Service, get_namespace

__all__ = ["activity_task", "query_task", "require_token", "workflow_task"]


def require_token(token: bytes) -> None:
    """Check that there is a token."""
    if not token:
        raise InvalidArgument("Task token not set on request.")


def workflow_task(service: Service, namespace: str, token: bytes) -> tuple[Namespace, RunRef, WorkflowTaskToken]:
    """Return which run, and which of its workflow tasks, a token is for.

    Raises:
        InvalidArgument: no token, not one of ours, or one of another namespace.
        NotFound: the run is gone.
    """
    require_token(token)
    decoded = WorkflowTaskToken.decode(token)
    found = _namespace(service, namespace, decoded)
    return found, RunRef(found.namespace_id, run_key=decoded.run_key), decoded


def activity_task(service: Service, namespace: str, token: bytes) -> tuple[Namespace, RunRef, ActivityTaskToken]:
    """Return which run, and which of its activities, a token is for; see `workflow_task`."""
    require_token(token)
    decoded = ActivityTaskToken.decode(token)
    found = _namespace(service, namespace, decoded)
    return found, RunRef(found.namespace_id, run_key=decoded.run_key), decoded


def query_task(token: bytes) -> QueryTaskToken:
    """Return which query a token is for.

    Raises:
        InvalidArgument: no token, or not one of ours.
        NotFound: a workflow task's.
    """
    require_token(token)
    try:
        return QueryTaskToken.decode(token)
    except InvalidArgument:
        WorkflowTaskToken.decode(token)
        raise NotFound("query task not found, or already expired") from None


def _namespace(service: Service, name: str, token: WorkflowTaskToken | ActivityTaskToken) -> Namespace:
    """Return the request's namespace, which must be the run's; a request without one means the run's."""
    state = service.engine.find_run(token.run_key)
    if state is None or state.run_id != token.run_id:
        get_namespace(service, name)
        raise NotFound("workflow execution not found")
    if not name:
        return service.engine.namespaces.get_by_id(state.namespace_id)
    namespace = get_namespace(service, name)
    if namespace.namespace_id != state.namespace_id:
        raise InvalidArgument("Operation requested with a token from a different namespace.")
    return namespace
