"""Make what `dx.toml` declares, in the order in which one thing needs another."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

from temporalio.service import RPCError, RPCStatusCode

from durable_cli.client import Client
from durable_cli.dev.project.model import Project
from durable_cli.dev.provision import namespaces, nexus_endpoints, schedules, search_attributes, starts
from durable_cli.dev.provision.step import Outcome, Result, Step
from durable_cli.errors import CliError

__all__ = ["provision"]

# A start or a schedule may carry search attributes, and everything is in a namespace.
_KINDS: dict[str, Callable[[Project, Client], Sequence[Step]]] = {
    "namespaces": namespaces.list_steps,
    "search attributes": search_attributes.list_steps,
    "Nexus endpoints": nexus_endpoints.list_steps,
    "schedules": schedules.list_steps,
    "starts": starts.list_steps,
}

_SERVER_IS_AWAY = {RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED}


async def provision(project: Project, client: Client) -> AsyncIterator[Outcome]:
    """Make what is missing, update what differs, and yield what became of each, in order.

    What is already as declared is left alone, so that this may run at every start. What the server refuses is an
    outcome like the others; a kind of thing that it does not serve at all is one outcome for the whole kind.

    Raises:
        CliError: the server can't be reached.
    """
    async with client.doing("make what dx.toml declares"):
        for kind, list_steps in _KINDS.items():
            steps = list_steps(project, client)
            for step in steps:
                outcome = await _take(step)
                if outcome is None:
                    yield Outcome(kind, Result.NOT_SERVED, f"this server has none yet, so {_count(steps)} left out")
                    break
                yield outcome


async def _take(step: Step) -> Outcome | None:
    """Take a step; None when the server does not know how to."""
    try:
        return Outcome(step.subject, await step.make())
    except RPCError as error:
        if error.status == RPCStatusCode.UNIMPLEMENTED:
            return None
        if error.status in _SERVER_IS_AWAY:
            raise
        return Outcome(step.subject, Result.FAILED, f"failed: {error.message.rstrip('.') or error.status.name}")
    except CliError as error:
        return Outcome(step.subject, Result.FAILED, f"failed: {error.message}")


def _count(steps: Sequence[Step]) -> str:
    names = [step.subject.rpartition(" ")[2] for step in steps]
    if len(names) == 1:
        return f"{names[0]} is"
    return f"{', '.join(names[:-1])} and {names[-1]} are" if len(names) <= 4 else f"all {len(names)} are"
