"""What the browser does to worker deployments: each returns what was done, in words.

Raises: CliError when the server refuses.
"""

from __future__ import annotations

from durable_cli.tui.feed.link import Link, seconds

__all__ = ["delete_deployment", "delete_version", "restore_routing", "set_current_version", "set_ramping_version"]

SECONDS = 20.0  # the server asks the deployment's own workflow


async def set_current_version(link: Link, name: str, build_id: str) -> str:
    """Give new workflows to a version; without a build id, to workers that have no version."""
    async with link.asking(f"set the current version of {name!r}") as client:
        from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest

        request = SetWorkerDeploymentCurrentVersionRequest(
            namespace=link.namespace, deployment_name=name, build_id=build_id, identity=client.identity
        )
        await client.workflow_service.set_worker_deployment_current_version(request, timeout=seconds(SECONDS))
    return f"{name}: {build_id or 'unversioned workers'} is current"


async def set_ramping_version(link: Link, name: str, build_id: str, percentage: float) -> str:
    """Give a share of new workflows to a version; without a build id, none ramps any more."""
    async with link.asking(f"set the ramping version of {name!r}") as client:
        from temporalio.api.workflowservice.v1 import SetWorkerDeploymentRampingVersionRequest

        request = SetWorkerDeploymentRampingVersionRequest(
            namespace=link.namespace,
            deployment_name=name,
            build_id=build_id,
            percentage=percentage,
            identity=client.identity,
        )
        await client.workflow_service.set_worker_deployment_ramping_version(request, timeout=seconds(SECONDS))
    return f"{name}: {build_id} ramps at {percentage:g} %" if build_id else f"{name}: nothing ramps"


async def restore_routing(link: Link, name: str, current: str, ramping: str, percentage: float) -> str:
    """Give new workflows to those versions that had them."""
    await set_current_version(link, name, current)
    if ramping:
        await set_ramping_version(link, name, ramping, percentage)
    return f"{name}: {current or 'unversioned workers'} is current again"


async def delete_version(link: Link, name: str, build_id: str) -> str:
    """Delete a version that no workflow needs any more."""
    async with link.asking(f"delete version {build_id!r}") as client:
        from temporalio.api.deployment.v1 import WorkerDeploymentVersion
        from temporalio.api.workflowservice.v1 import DeleteWorkerDeploymentVersionRequest

        request = DeleteWorkerDeploymentVersionRequest(
            namespace=link.namespace,
            deployment_version=WorkerDeploymentVersion(deployment_name=name, build_id=build_id),
            identity=client.identity,
        )
        await client.workflow_service.delete_worker_deployment_version(request, timeout=seconds(SECONDS))
    return f"deleted version {build_id} of {name}"


async def delete_deployment(link: Link, name: str) -> str:
    """Delete a deployment that has no versions."""
    async with link.asking(f"delete worker deployment {name!r}") as client:
        from temporalio.api.workflowservice.v1 import DeleteWorkerDeploymentRequest

        request = DeleteWorkerDeploymentRequest(
            namespace=link.namespace, deployment_name=name, identity=client.identity
        )
        await client.workflow_service.delete_worker_deployment(request, timeout=seconds(SECONDS))
    return f"deleted deployment {name}"
