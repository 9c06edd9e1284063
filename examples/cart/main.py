"""Fill a cart and pay for it: `python main.py --help`, with a server and `worker.py` running."""

# ruff: noqa: T201 (an example talks to its user)
from __future__ import annotations

import argparse
import asyncio
import sys

from shared import TASK_QUEUE, Addition, Cart
from temporalio.client import Client, WithStartWorkflowOperation, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.envconfig import ClientConfig
from temporalio.exceptions import FailureError
from temporalio.service import RPCError
from workflows import CartWorkflow


async def add(client: Client, arguments: argparse.Namespace) -> None:
    """Add some of a product; the first addition starts the cart, in the same request."""
    start = WithStartWorkflowOperation(
        CartWorkflow.run,
        Cart(),
        id=arguments.cart,
        task_queue=TASK_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    addition = Addition(arguments.product, arguments.quantity)
    print_cart(
        await client.execute_update_with_start_workflow(CartWorkflow.add, addition, start_workflow_operation=start)
    )


async def remove(client: Client, arguments: argparse.Namespace) -> None:
    """Take all of a product out."""
    handle = client.get_workflow_handle_for(CartWorkflow.run, arguments.cart)
    print_cart(await handle.execute_update(CartWorkflow.remove, arguments.product))


async def show(client: Client, arguments: argparse.Namespace) -> None:
    """Show what is in the cart, also after the checkout."""
    handle = client.get_workflow_handle_for(CartWorkflow.run, arguments.cart)
    print_cart(await handle.query(CartWorkflow.get_cart))


async def checkout(client: Client, arguments: argparse.Namespace) -> None:
    """Pay, and complete the cart."""
    handle = client.get_workflow_handle_for(CartWorkflow.run, arguments.cart)
    receipt = await handle.execute_update(CartWorkflow.checkout, arguments.card)
    print(f"paid {receipt.total / 100:.2f}: {receipt.payment_id}")


def print_cart(cart: Cart) -> None:
    """Print a line for each product, and the total."""
    for product, line in cart.lines.items():
        print(f"{line.quantity:3} {product:<10} {line.quantity * line.price / 100:8.2f}")
    print(f"    {'total':<10} {cart.total() / 100:8.2f}")


def innermost_message(error: FailureError) -> str:
    """Return what went wrong at the bottom: an update may fail because its activity fails because of something."""
    while isinstance(error.cause, FailureError):
        error = error.cause
    return error.message


async def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    for run in (add, remove, show, checkout):
        command = commands.add_parser(run.__name__, help=run.__doc__)
        command.add_argument("cart", help="the workflow id of the cart")
        if run in (add, remove):
            command.add_argument("product")
        if run is add:
            command.add_argument("quantity", type=int)
        if run is checkout:
            command.add_argument("--card", default="valid", help="`declined` is one without money")
        command.set_defaults(run=run)
    arguments = parser.parse_args()

    config = ClientConfig.load_client_connect_config()
    config.setdefault("target_host", "localhost:7233")
    client = await Client.connect(**config)
    try:
        await arguments.run(client, arguments)
    except WorkflowUpdateFailedError as error:
        sys.exit(f"refused: {innermost_message(error.cause)}")
    except RPCError as error:
        sys.exit(f"failed: {error.message}")
    finally:
        # A Python that exits in the very moment of the SDK's answer can abort in the SDK's threads.
        await asyncio.sleep(0.2)


if __name__ == "__main__":
    asyncio.run(main())
