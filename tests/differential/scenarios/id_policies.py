"""Workflow-id reuse and conflict policies, and request ids."""

from __future__ import annotations

from typing import Any

from temporalio.api.workflow.v1 import OnConflictOptions

from tests.differential.raw_worker import application_failure, complete_workflow, fail_workflow
from tests.differential.scenario import scenario
from tests.differential.world import World

REUSE = "WORKFLOW_ID_REUSE_POLICY_"
CONFLICT = "WORKFLOW_ID_CONFLICT_POLICY_"


async def _start_again(world: World, name: str, **fields: Any) -> Any:
    return await world.record_call(name, world.start_request(**{"request_id": name, **fields}))


@scenario()
async def while_running(world: World) -> None:
    """What each policy does with a run that is open."""
    await world.start()
    await _start_again(world, "default")
    for reuse in ("ALLOW_DUPLICATE", "ALLOW_DUPLICATE_FAILED_ONLY", "REJECT_DUPLICATE"):
        await _start_again(world, f"reuse {reuse}", workflow_id_reuse_policy=REUSE + reuse)
    await _start_again(world, "conflict FAIL", workflow_id_conflict_policy=f"{CONFLICT}FAIL")
    await _start_again(world, "conflict USE_EXISTING", workflow_id_conflict_policy=f"{CONFLICT}USE_EXISTING")
    await world.record_history()


@scenario()
async def terminate_existing(world: World) -> None:
    """TERMINATE_EXISTING and TERMINATE_IF_RUNNING end the open run and start another."""
    first = await world.start()
    second = await _start_again(
        world, "conflict", workflow_id_conflict_policy=f"{CONFLICT}TERMINATE_EXISTING", identity="usurper"
    )
    await _start_again(world, "reuse", workflow_id_reuse_policy=f"{REUSE}TERMINATE_IF_RUNNING")
    await world.record_history(run_id=first)
    await world.record_history(run_id=second.run_id)
    await world.record_history()


@scenario()
async def after_completion(world: World) -> None:
    """What each policy does after a run that completed."""
    await world.start()
    await world.raw_worker().next_workflow_task(complete_workflow())
    for reuse in ("REJECT_DUPLICATE", "ALLOW_DUPLICATE_FAILED_ONLY", "ALLOW_DUPLICATE"):
        await _start_again(world, reuse, workflow_id_reuse_policy=REUSE + reuse)
    await world.terminate()
    await _start_again(world, "USE_EXISTING", workflow_id_conflict_policy=f"{CONFLICT}USE_EXISTING")


@scenario()
async def after_failure(world: World) -> None:
    """ALLOW_DUPLICATE_FAILED_ONLY allows another run after one that failed."""
    await world.start()
    await world.raw_worker().next_workflow_task(fail_workflow(application_failure("no")))
    for reuse in ("REJECT_DUPLICATE", "ALLOW_DUPLICATE_FAILED_ONLY"):
        await _start_again(world, reuse, workflow_id_reuse_policy=REUSE + reuse)


@scenario(live_sample=False)
async def same_request_id(world: World) -> None:
    """A start with the request id of the open run, or of the closed one, is that run's start again."""
    await world.record_call("first", world.start_request(request_id="once"))
    await world.record_call("again while running", world.start_request(request_id="once"))
    await world.raw_worker().next_workflow_task(complete_workflow())
    await world.record_call("again after the close", world.start_request(request_id="once"))
    await world.record_call(
        "again after the close, duplicates refused",
        world.start_request(request_id="once", workflow_id_reuse_policy=f"{REUSE}REJECT_DUPLICATE"),
    )
    await world.record_history()


@scenario()
async def use_existing_with_options(world: World) -> None:
    """USE_EXISTING can attach the request id to the open run, which is then deduplicated."""
    await world.start()
    options = OnConflictOptions(attach_request_id=True)
    policy = f"{CONFLICT}USE_EXISTING"
    for name in ("attach", "attach again"):
        await _start_again(
            world,
            name,
            request_id="attached",
            workflow_id_conflict_policy=policy,
            on_conflict_options=options,
        )
    await world.record_history()
