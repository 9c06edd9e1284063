"""Notes, while a run is replayed, which line of the user's code issues each command.

An interceptor gets hold of the run's event loop, which is the SDK's workflow instance, and listens where that makes
its commands. That place is not public: with an SDK that has none of that name there are no lines, and no other change.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from types import CodeType, FrameType
from typing import Any

from temporalio.worker import Interceptor, WorkflowInboundInterceptor

from . import snapshot

Place = tuple[str, int]
"""A file and a line."""

# Deep enough for the user's function that hands a coroutine to asyncio.gather.
_ORIGIN_DEPTH = 12

_is_user_file = lru_cache(maxsize=None)(snapshot.is_user_file)


@dataclass(frozen=True)
class Step:
    """A command of the SDK's core, and the user's lines that led to it, the innermost first.

    Args:
        activation: the same for the commands of one activation.
    """

    command: Any
    places: list[Place]
    activation: int

    @property
    def variant(self) -> str:
        """Which command it is; it is filled in after it was noted."""
        return self.command.WhichOneof("variant") or ""

    @property
    def content(self) -> Any:
        return getattr(self.command, self.variant, None)


@dataclass
class Trace:
    """What one run did.

    Args:
        run_place: where the workflow's run method is, or was when it ended.
        error: what the workflow, or a handler of it, raised.
    """

    steps: list[Step] = field(default_factory=list)
    run_code: CodeType | None = None
    run_place: Place | None = None
    error: BaseException | None = None


class TracingInterceptor(Interceptor):
    """Notes what one run after another does."""

    def __init__(self) -> None:
        self.trace = Trace()
        self._loop: Any = None

    def begin(self) -> Trace:
        """Return what will be filled by the next replay."""
        self.trace = Trace()
        return self.trace

    def workflow_interceptor_class(self, input: Any) -> type[WorkflowInboundInterceptor]:
        tracer = self

        class Inbound(_TracingInbound):
            pass

        Inbound.tracer = tracer
        return Inbound

    @property
    def is_evicting(self) -> bool:
        """Say whether the run is being torn down, and its tasks are cancelled."""
        return getattr(self._loop, "_deleting", False)

    def make_executor(self) -> ThreadPoolExecutor:
        """Return the one thread for workflow code, which notes where that is."""

        def prepare_thread() -> None:
            sys.set_coroutine_origin_tracking_depth(_ORIGIN_DEPTH)
            sys.setprofile(self._profile)

        return ThreadPoolExecutor(1, thread_name_prefix="dx_explain_", initializer=prepare_thread)

    def attach(self) -> None:
        """Listen to the commands of the run that is active."""
        loop: Any = asyncio.get_running_loop()
        if loop is self._loop:
            return
        self._loop = loop
        add_command: Callable[[], Any] | None = getattr(loop, "_add_command", None)
        if add_command is not None:
            trace = self.trace

            def add_and_note() -> Any:
                command = add_command()
                trace.steps.append(Step(command, _find_places(), id(getattr(loop, "_current_completion", None))))
                return command

            loop._add_command = add_and_note

    def _profile(self, frame: FrameType, event: str, _arg: Any) -> None:
        # A coroutine returns whenever it waits, too.
        if event == "return" and frame.f_code is self.trace.run_code and not self.is_evicting:
            self.trace.run_place = (frame.f_code.co_filename, frame.f_lineno)


class _TracingInbound(WorkflowInboundInterceptor):
    tracer: TracingInterceptor

    async def execute_workflow(self, input: Any) -> Any:
        function = getattr(input.run_fn, "__func__", input.run_fn)
        self.tracer.trace.run_code = function.__code__
        return await self._watch(super().execute_workflow(input))

    async def handle_signal(self, input: Any) -> None:
        await self._watch(super().handle_signal(input))

    async def handle_update_handler(self, input: Any) -> Any:
        return await self._watch(super().handle_update_handler(input))

    async def _watch(self, handling: Any) -> Any:
        self.tracer.attach()
        trace = self.tracer.trace
        try:
            return await handling
        except BaseException as error:
            # What interrupts a workflow that never awaits is no Exception.
            if not self.tracer.is_evicting:
                trace.error = error
            raise


def _find_places() -> list[Place]:
    """Return the user's lines on the stack; of a task without any, the lines where its coroutine was made."""
    frame: FrameType | None = sys._getframe(2)
    places = []
    while frame is not None:
        if _is_user_file(frame.f_code.co_filename):
            places.append((frame.f_code.co_filename, frame.f_lineno))
        frame = frame.f_back
    if not places:
        task = asyncio.current_task()
        origin = getattr(task.get_coro(), "cr_origin", None) if task is not None else None
        places = [(file, line) for file, line, _ in origin or () if _is_user_file(file)]
    return places
