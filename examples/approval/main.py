"""Walk through the approval's scenarios: `python main.py`, with a server and `worker.py` running."""

# ruff: noqa: T201 (an example talks to its user)
from __future__ import annotations

import asyncio
import uuid

from shared import TASK_QUEUE, Decision, Request, Result, Status
from temporalio.client import Client, WorkflowHandle
from temporalio.envconfig import ClientConfig
from workflows import ApprovalWorkflow

# Makes the workflow ids of one walk its own, so that the example can run again on the same server.
RUN_SUFFIX = uuid.uuid4().hex[:6]


async def approved(client: Client) -> None:
    """The approver says yes."""
    handle = await start_request(client, "approved")
    await wait_for_status(handle, Status.ASKED)
    await handle.signal(ApprovalWorkflow.decide, Decision(by="ann", is_approved=True, comment="enjoy it"))
    await show_result(handle)


async def rejected(client: Client) -> None:
    """The approver says no. Somebody else has said yes before, but was not asked."""
    handle = await start_request(client, "rejected")
    await wait_for_status(handle, Status.ASKED)
    await handle.signal(ApprovalWorkflow.decide, Decision(by="eve", is_approved=True))
    print(f"  status after somebody else's yes: {await handle.query(ApprovalWorkflow.get_status)}")
    await handle.signal(ApprovalWorkflow.decide, Decision(by="ann", is_approved=False, comment="the old one is fine"))
    await show_result(handle)


async def escalated(client: Client) -> None:
    """The approver does not answer, not even when reminded; the manager does."""
    handle = await start_request(client, "escalated", remind_after_seconds=0.5, escalate_after_seconds=0.5)
    await wait_for_status(handle, Status.ESCALATED)
    print("  escalated to max")
    await handle.signal(ApprovalWorkflow.decide, Decision(by="max", is_approved=True, comment="ann is on holiday"))
    await show_result(handle)


async def timed_out(client: Client) -> None:
    """Nobody answers."""
    handle = await start_request(
        client, "timed-out", remind_after_seconds=0.5, escalate_after_seconds=0.5, give_up_after_seconds=0.5
    )
    await show_result(handle)


async def start_request(client: Client, name: str, **times: float) -> WorkflowHandle[ApprovalWorkflow, Result]:
    """Start a request named after its scenario; `times` are fields of Request."""
    request = Request("a new laptop", requester="tom", approver="ann", manager="max", **times)
    handle = await client.start_workflow(
        ApprovalWorkflow.run, request, id=f"approval-{name}-{RUN_SUFFIX}", task_queue=TASK_QUEUE
    )
    print(f"  started {handle.id}")
    return handle


async def wait_for_status(handle: WorkflowHandle[ApprovalWorkflow, Result], status: Status) -> None:
    """Return when the request has got there."""
    while True:
        if await handle.query(ApprovalWorkflow.get_status) == status:
            return
        await asyncio.sleep(0.05)


async def show_result(handle: WorkflowHandle[ApprovalWorkflow, Result]) -> None:
    """Wait for the end and print it."""
    result = await handle.result()
    print(f"  result: {result.status}")
    if result.decision:
        print(f"  decided by {result.decision.by}: {result.decision.comment}")


async def main() -> None:
    """Run one scenario after the other."""
    config = ClientConfig.load_client_connect_config()
    config.setdefault("target_host", "localhost:7233")
    client = await Client.connect(**config)
    for number, scenario in enumerate([approved, rejected, escalated, timed_out], start=1):
        print(f"\n{number}. {scenario.__doc__}")
        await scenario(client)
    # A Python that exits in the very moment of the SDK's answer can abort in the SDK's threads.
    await asyncio.sleep(0.2)


if __name__ == "__main__":
    asyncio.run(main())
