"""The search attribute that says which builds have worked on a run."""

from __future__ import annotations

from temporalio.api.common.v1 import WorkerVersionStamp

from engine.core.run.build_ids import add_build_ids
from engine.core.run.state import RunState


def test_every_build_is_named_once_in_the_words_of_the_reference_server() -> None:
    state = RunState(run_key=1, namespace_id="n", namespace="default", workflow_id="w", run_id="r")
    for build_id in ("one", "two", "one", ""):
        add_build_ids(state, WorkerVersionStamp(build_id=build_id))
    payload = state.search_attributes["BuildIds"]
    assert payload.data == b'["unversioned","unversioned:one","unversioned:two"]'
    assert dict(payload.metadata) == {"encoding": b"json/plain", "type": b"KeywordList"}
