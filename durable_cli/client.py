"""One connection to a Temporal server, and what its errors mean to a user."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

from google.protobuf.message import Message
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import HistoryEventFilterType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import (
    GetWorkflowExecutionHistoryRequest,
    GetWorkflowExecutionHistoryReverseRequest,
)
from temporalio.service import (
    HealthService,
    OperatorService,
    RPCError,
    RPCStatusCode,
    ServiceClient,
    TLSConfig,
    WorkflowService,
)

from durable_cli.config import CodecSettings, Settings
from durable_cli.connect_failure import Attempt, explain_connect_failure
from durable_cli.errors import CliError
from durable_cli.filter_place import FILTER_EXAMPLE, count_from_filter

__all__ = ["Client", "find_detail", "find_next_run_id"]


_log = logging.getLogger("dx")

MakeCoded = Callable[[WorkflowService, CodecSettings], WorkflowService]


class Client:
    """The raw services of a server, and the namespace and identity that requests carry.

    It connects when something is first done with it, so that a wrong command line is found out without a server.

    Args:
        make_coded: lets the calls of the service pass through the remote codec, in another way than commands do it.
    """

    workflow_service: WorkflowService
    operator_service: OperatorService
    health_service: HealthService

    def __init__(self, settings: Settings, make_coded: MakeCoded | None = None) -> None:
        self._settings = settings
        self._make_coded = make_coded or self._make_strictly_coded
        self._is_connected = False
        self.namespace = settings.namespace
        self.address = settings.connect.target_host
        self.uses_tls = uses_tls(settings)
        self.identity = settings.connect.identity

    @asynccontextmanager
    async def doing(self, action: str, *, query: str = "") -> AsyncIterator[None]:
        """Connect if need be, and turn a gRPC error of the block into a CliError that says which action failed.

        Args:
            query: the list filter that the server is asked with.
        """
        if not self._is_connected:
            service = await _connect(self._settings)
            self.workflow_service = service.workflow_service
            self.operator_service = service.operator_service
            self.health_service = service.health_service
            if self._settings.codec is not None:
                self.workflow_service = self._make_coded(service.workflow_service, self._settings.codec)
            self._is_connected = True
        started_s = time.monotonic()
        try:
            yield
            _log.debug("%s: %.0f ms", action, (time.monotonic() - started_s) * 1000)
        except RPCError as error:
            _log.debug("%s: %s", action, error.status.name)
            raise self.explain(action, error, query) from None

    def _make_strictly_coded(self, service: WorkflowService, settings: CodecSettings) -> WorkflowService:
        """Let a call fail where the codec does."""
        from durable_cli.codec import CodedService, RemoteCodec

        return cast(WorkflowService, CodedService(service, RemoteCodec(settings, lambda: self.namespace)))

    async def iterate_history(
        self, workflow_id: str, run_id: str, *, follow: bool = False, close_event_only: bool = False
    ) -> AsyncIterator[HistoryEvent]:
        """Yield a run's events, oldest first; with `follow`, wait for new ones until the run is closed."""
        request = GetWorkflowExecutionHistoryRequest(
            namespace=self.namespace,
            execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
            wait_new_event=follow,
            skip_archival=follow,
            history_event_filter_type=(
                HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT
                if close_event_only
                else HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT
            ),
        )
        while True:
            async with self.doing(f"read the history of workflow {workflow_id!r}"):
                page = await self.workflow_service.get_workflow_execution_history(request, retry=True)
            for event in page.history.events:
                yield event
            request.next_page_token = page.next_page_token
            if not page.next_page_token:
                return

    async def iterate_history_reverse(self, workflow_id: str, run_id: str) -> AsyncIterator[HistoryEvent]:
        """Yield a run's events, newest first."""
        request = GetWorkflowExecutionHistoryReverseRequest(
            namespace=self.namespace, execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
        )
        while True:
            async with self.doing(f"read the history of workflow {workflow_id!r}"):
                page = await self.workflow_service.get_workflow_execution_history_reverse(request, retry=True)
            for event in page.history.events:
                yield event
            request.next_page_token = page.next_page_token
            if not page.next_page_token:
                return

    async def get_close_event(self, workflow_id: str, run_id: str) -> HistoryEvent:
        """Wait until the chain of runs is closed, and return its last event; continue-as-new is followed."""
        while True:
            last = None
            async for event in self.iterate_history(workflow_id, run_id, follow=True, close_event_only=True):
                last = event
            if last is None:
                raise CliError(f"the history of workflow {workflow_id!r} has no close event")
            run_id = find_next_run_id(last)
            if not run_id:
                return last

    def explain(self, action: str, error: RPCError, query: str = "") -> CliError:
        """Say which action failed, why, and what to do."""
        message = error.message.rstrip(".") or error.status.name
        if query:
            message = count_from_filter(message, query)
        return CliError(f"can't {action}: {message}", self._find_hint(error))

    def _find_hint(self, error: RPCError) -> str:
        match error.status:
            case RPCStatusCode.NOT_FOUND if "amespace" in error.message:
                return "name another one with --namespace; the local server creates one with --namespace at its start"
            case RPCStatusCode.NOT_FOUND if "already completed" in error.message:
                return "the run is closed: `dx workflow describe` shows how it ended"
            case RPCStatusCode.NOT_FOUND:
                return f"`dx workflow list` shows the workflows of namespace {self.namespace!r} at {self.address}"
            case RPCStatusCode.ALREADY_EXISTS:
                return "choose another workflow id, or an --id-conflict-policy or --id-reuse-policy that allows it"
            case RPCStatusCode.UNAVAILABLE:
                return f"is the server at {self.address} still up? Try again in a moment"
            case RPCStatusCode.UNIMPLEMENTED:
                return f"the server at {self.address} does not offer this"
            case RPCStatusCode.UNAUTHENTICATED | RPCStatusCode.PERMISSION_DENIED:
                return "check --api-key, --namespace and the TLS options, or choose a --profile"
            case RPCStatusCode.DEADLINE_EXCEEDED | RPCStatusCode.CANCELLED:
                return "is a worker running? `dx workflow describe` shows what the workflow waits for"
            case RPCStatusCode.RESOURCE_EXHAUSTED:
                return "the server limits requests: try again more slowly"
            case RPCStatusCode.FAILED_PRECONDITION if "no poller seen" in error.message:
                return "no worker polls its task queue: start one, then try again"
            case RPCStatusCode.INVALID_ARGUMENT if "invalid query" in error.message:
                return FILTER_EXAMPLE
            case RPCStatusCode.INVALID_ARGUMENT | RPCStatusCode.FAILED_PRECONDITION:
                return "the server refused the request as it is: what it says must change first"
            case _:
                return f"the log of the server at {self.address} may say more"


def find_next_run_id(close_event: HistoryEvent) -> str:
    """Return the run that goes on where this one ended by continue-as-new, or an empty string."""
    if close_event.HasField("workflow_execution_continued_as_new_event_attributes"):
        return close_event.workflow_execution_continued_as_new_event_attributes.new_execution_run_id
    return ""


def find_detail(error: RPCError, message: Message) -> bool:
    """Fill `message` from the error's details; False when there is none of that type."""
    return any(detail.Unpack(message) for detail in error.grpc_status.details)


def uses_tls(settings: Settings) -> bool:
    """Say whether the connection is to be encrypted; an API key asks for that by itself."""
    return bool(settings.connect.tls) or (settings.connect.tls is None and settings.connect.api_key is not None)


async def _connect(settings: Settings) -> ServiceClient:
    """Connect, or raise a CliError that says what is wrong with the address."""
    timeout_seconds = settings.connect_timeout.total_seconds() if settings.connect_timeout else 10.0
    try:
        return await asyncio.wait_for(ServiceClient.connect(settings.connect), timeout_seconds)
    except TimeoutError:
        raise CliError(
            f"no answer from {settings.connect.target_host} within {timeout_seconds:g} s",
            "check the address, or allow more with --client-connect-timeout",
        ) from None
    except (RuntimeError, ValueError) as error:
        tls = settings.connect.tls if isinstance(settings.connect.tls, TLSConfig) else TLSConfig()
        attempt = Attempt(
            settings.connect.target_host,
            uses_tls(settings),
            has_authority=tls.server_root_ca_cert is not None,
            has_client_certificate=tls.client_cert is not None,
        )
        raise explain_connect_failure(attempt, str(error)) from None
