"""Which of the suite's files are run, and which of their tests are left out of the count."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

# What touches workflows, activities, children, signals, queries, updates and resets on a server.
DEFAULT_FILES = (
    "tests/worker/test_workflow.py",
    "tests/worker/test_activity.py",
    "tests/worker/test_worker.py",
    "tests/worker/test_replayer.py",
    "tests/worker/test_update_with_start.py",
    "tests/worker/test_extstore.py",
    "tests/worker/test_interceptor.py",
    "tests/worker/test_payload_size_limits.py",
    "tests/worker/workflow_sandbox/test_runner.py",
    "tests/test_client.py",
    "tests/test_plugins.py",
    "tests/test_runtime.py",
    "tests/test_serialization_context.py",
    "tests/test_service.py",
    "tests/test_workflow.py",
    "tests/testing/test_workflow.py",
    "tests/contrib/opentelemetry/test_meter_provider.py",
    "tests/contrib/opentelemetry/test_opentelemetry.py",
    "tests/contrib/opentelemetry/test_opentelemetry_plugin.py",
    "tests/contrib/pydantic/test_pydantic.py",
    "tests/contrib/workflow_streams/test_payload_roundtrip.py",
    "tests/contrib/workflow_streams/test_workflow_streams.py",
)

# Files that are about one left-out capability, and so are not run unless they are named.
LEFT_OUT_FILES = {
    "tests/nexus/*": "Nexus",
    "tests/test_activity.py": "standalone activities",
}

# A test that calls one of these is about a capability that is not counted. The names are the requests' in snake case.
LEFT_OUT_RPCS = {
    "*_schedule*": "schedules",
    "*_worker_build_id*": "worker versioning and deployments",
    "*_versioning_rules": "worker versioning and deployments",
    "*_worker_task_reachability": "worker versioning and deployments",
    "*_deployment*": "worker versioning and deployments",
    "*_nexus_*": "Nexus",
    "*_activity_execution*": "standalone activities",
}


def reason_to_leave_out(test: str, rpcs: Iterable[str]) -> str | None:
    """Return the capability that keeps `test` out of the count, going by its file and by what it called."""
    file = test.partition("::")[0]
    for pattern, reason in LEFT_OUT_FILES.items():
        if fnmatchcase(file, pattern):
            return reason
    for rpc in rpcs:
        for pattern, reason in LEFT_OUT_RPCS.items():
            if fnmatchcase(rpc, pattern):
                return reason
    return None
