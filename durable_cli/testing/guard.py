"""The interceptor of a test's client: calls that wait for a workflow end when it can't get on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from temporalio.client import (
    FetchWorkflowHistoryEventsInput,
    Interceptor,
    OutboundInterceptor,
    QueryWorkflowInput,
    StartWorkflowUpdateInput,
    StartWorkflowUpdateWithStartInput,
    WorkflowHistoryEventAsyncIterator,
    WorkflowUpdateHandle,
)

if TYPE_CHECKING:
    from durable_cli.testing.watch import Watch

__all__ = ["GuardInterceptor"]


class GuardInterceptor(Interceptor):
    """Makes the calls of a client hear of the watch's problem; `watch` is set when the client is there."""

    watch: Watch

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        """Wrap the client's calls."""
        return _Guarded(next, self)


class _Guarded(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, owner: GuardInterceptor) -> None:
        super().__init__(next)
        self._owner = owner

    async def query_workflow(self, input: QueryWorkflowInput) -> Any:
        return await self._owner.watch.guard(super().query_workflow(input))

    async def start_workflow_update(self, input: StartWorkflowUpdateInput) -> WorkflowUpdateHandle[Any]:
        return await self._owner.watch.guard(super().start_workflow_update(input))

    async def start_update_with_start_workflow(
        self, input: StartWorkflowUpdateWithStartInput
    ) -> WorkflowUpdateHandle[Any]:
        return await self._owner.watch.guard(super().start_update_with_start_workflow(input))

    def fetch_workflow_history_events(
        self, input: FetchWorkflowHistoryEventsInput
    ) -> WorkflowHistoryEventAsyncIterator:
        """Guard the pages of those who wait for new events: `handle.result()` and `execute_workflow` are among them."""
        iterator = super().fetch_workflow_history_events(input)
        if input.wait_new_event:
            fetch_next_page = iterator.fetch_next_page

            async def guarded(*, page_size: int | None = None) -> None:
                await self._owner.watch.guard(fetch_next_page(page_size=page_size))

            iterator.fetch_next_page = guarded  # type: ignore[method-assign]
        return iterator
