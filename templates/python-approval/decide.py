"""A client: answer a request. `python decide.py laptop ann yes`"""

import asyncio
import sys

from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.envconfig import ClientConfig

from shared import Decision
from workflows import ApprovalWorkflow


async def main(workflow_id: str, by: str, answer: str) -> None:
    """Connect to TEMPORAL_ADDRESS, or to the local server; send the update."""
    config = ClientConfig.load_client_connect_config()
    config.setdefault("target_host", "localhost:7233")
    client = await Client.connect(**config)

    handle = client.get_workflow_handle_for(ApprovalWorkflow.run, workflow_id)
    try:
        status = await handle.execute_update(
            ApprovalWorkflow.decide, Decision(by, approve=answer == "yes")
        )
    except WorkflowUpdateFailedError as error:
        print(f"refused: {error.cause}")
    else:
        print(f"{workflow_id} is {status}")
    # A Python that exits in the moment of the SDK's answer can crash in its threads.
    await asyncio.sleep(0.2)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("usage: python decide.py WORKFLOW_ID WHO yes|no")
    asyncio.run(main(*sys.argv[1:]))
