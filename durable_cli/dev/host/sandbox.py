"""Fewer sandboxes than the SDK would make.

The SDK's sandbox imports the workflow's module, and all that it imports, anew for every run and for every workflow
that is validated: most of the time that a replay takes. Here, one validation does for a module, and the runs of one
module share a sandbox in the first look of a check, and so the state of its modules, which is thrown away afterwards.
A run that seems not to survive is replayed once more in a sandbox of its own, as by a worker: that counts.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from temporalio.worker import UnsandboxedWorkflowRunner, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

_DEFINITION = "__temporal_workflow_definition"


_validated: set[str] = set()


class OncePerModuleRunner(SandboxedWorkflowRunner):
    """The SDK's own runner, which validates a module once, not once for each of its workflows."""

    def prepare_workflow(self, defn: Any) -> None:
        if defn.cls.__module__ not in _validated:
            super().prepare_workflow(defn)
            _validated.add(defn.cls.__module__)


class _Arrival:
    """Stands for an activation, to bring a new run into a sandbox. This module is the same one inside and outside."""

    def __init__(self, details: Any) -> None:
        self.details = details
        self.instance: Any = None


def share(runner: WorkflowRunner) -> WorkflowRunner:
    """Return a runner whose runs share sandboxes; the runner itself where that is not possible."""
    if not isinstance(runner, SandboxedWorkflowRunner) or not dataclasses.is_dataclass(runner):
        return runner
    if runner.runner_class is not UnsandboxedWorkflowRunner:
        return runner
    restrictions = runner.restrictions.with_passthrough_modules(__name__.partition(".")[0], __name__)
    return _SharingRunner(dataclasses.replace(runner, restrictions=restrictions, runner_class=ManyRunsRunner))


class _SharingRunner(WorkflowRunner):
    """Outside: keeps one sandbox for each module."""

    def __init__(self, runner: SandboxedWorkflowRunner) -> None:
        self._runner = runner
        self._sandboxes: dict[str, Any] = {}

    def prepare_workflow(self, defn: Any) -> None:
        """Do nothing: the worker that was made before has validated it."""

    def set_worker_level_failure_exception_types(self, types: Any) -> None:
        self._runner.set_worker_level_failure_exception_types(types)

    def create_instance(self, det: Any) -> Any:
        module = det.defn.cls.__module__
        if module not in self._sandboxes:
            self._sandboxes[module] = self._runner.create_instance(det)
        # Here, not at the first activation: the SDK makes its instances where the worker's own event loop runs.
        arrival = _Arrival(det)
        self._sandboxes[module].activate(arrival)
        return _Run(self._sandboxes[module], arrival.instance)


class _Run:
    """Outside: one run, in a sandbox with others. Only one run is replayed at a time."""

    def __init__(self, sandbox: Any, instance: Any) -> None:
        self._sandbox = sandbox
        self._instance = instance

    def activate(self, act: Any) -> Any:
        return self._sandbox.activate(act)

    def __getattr__(self, name: str) -> Any:
        # What else the worker asks runs no code of the user, and needs no sandbox.
        return getattr(self._instance, name)


class ManyRunsRunner(WorkflowRunner):
    """Inside: makes what the sandbox holds in the place of one run."""

    def prepare_workflow(self, defn: Any) -> None:
        """Do nothing."""

    def create_instance(self, det: Any) -> Any:
        return _ManyRuns(det)


class _ManyRuns:
    """Inside: the runs of one module."""

    def __init__(self, first_details: Any) -> None:
        # As the sandbox has translated them: exception types are those of the modules in here.
        self._exception_types = first_details.worker_level_failure_exception_types
        self._instances: dict[str, Any] = {}

    def activate(self, act: Any) -> Any:
        if isinstance(act, _Arrival):
            act.instance = self._instances[act.details.info.run_id] = self._create(act.details)
            return None
        completion = self._instances[act.run_id].activate(act)
        if any(job.HasField("remove_from_cache") for job in act.jobs):
            del self._instances[act.run_id]
        return completion

    def _create(self, details: Any) -> Any:
        outer_class = details.defn.cls
        module = __import__(outer_class.__module__, fromlist=[outer_class.__name__])
        definition = getattr(getattr(module, outer_class.__name__), _DEFINITION)
        return UnsandboxedWorkflowRunner().create_instance(
            dataclasses.replace(details, defn=definition, worker_level_failure_exception_types=self._exception_types)
        )
