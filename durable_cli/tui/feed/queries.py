"""What a workflow's code answers when it is asked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from durable_cli.errors import CliError
from durable_cli.tui.feed.actions import make_arguments
from durable_cli.tui.feed.link import Link, seconds
from durable_cli.tui.lines import Line, Look, show_controls, trace_lines, without_marks

__all__ = ["METADATA_QUERY", "STACK_TRACE_QUERY", "Answer", "Definition", "ask_query", "read_answer"]

STACK_TRACE_QUERY = "__stack_trace"
METADATA_QUERY = "__temporal_workflow_metadata"
SECONDS = 12.0
PYTHON_STACK = re.compile(r"Stack for <.*? name='(?P<name>.*?) \(workflow: ")


class Definition(NamedTuple):
    """A query, signal or update that the code takes."""

    name: str
    description: str


class Answer(NamedTuple):
    """What was answered, as lines and as text; of the metadata, also what the code takes."""

    lines: list[Line]
    text: str
    queries: tuple[Definition, ...] = ()
    signals: tuple[Definition, ...] = ()
    updates: tuple[Definition, ...] = ()

    @property
    def whole_lines(self) -> list[Line]:
        """All that was answered."""
        return trace_lines(self.text, is_whole=True)


async def ask_query(link: Link, workflow_id: str, run_id: str, name: str, arguments: str) -> Answer:
    """Ask; `arguments` are JSON values separated by commas.

    Raises:
        CliError: the code refused, or no worker answered.
    """
    async with link.asking(f"query workflow {workflow_id!r}") as client:
        from temporalio.api.common.v1 import WorkflowExecution
        from temporalio.api.query.v1 import WorkflowQuery
        from temporalio.api.workflowservice.v1 import QueryWorkflowRequest
        from temporalio.service import RPCError, RPCStatusCode

        query = WorkflowQuery(query_type=name, query_args=make_arguments(arguments))
        request = QueryWorkflowRequest(
            namespace=link.namespace,
            execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
            query=query,
        )
        try:
            response = await client.workflow_service.query_workflow(request, timeout=seconds(SECONDS))
        except RPCError as error:
            if error.status in (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED):
                hint = "queries are answered by a worker: is one running for its task queue?"
                raise CliError(f"no worker answered within {SECONDS:.0f} s", hint) from None
            raise
    return read_answer(name, response.query_result)


def read_answer(name: str, result: Any) -> Answer:
    """Write what a query answered; the two that every SDK answers are written for people."""
    from durable_cli.tui.feed.payload_lines import copy_text, payloads_lines

    text = copy_text(result.payloads)
    payload = result.payloads[0] if result.payloads else None
    encoding = payload.metadata.get("encoding", b"") if payload is not None else b""
    if name == STACK_TRACE_QUERY and payload is not None and encoding == b"json/plain":
        trace = json.loads(payload.data)
        if isinstance(trace, str):
            return Answer(_trace_of_code(trace) or [Line("its code waits nowhere", Look.QUIET)], trace)
    if name == METADATA_QUERY and payload is not None and encoding.startswith(b"json/"):
        return _read_metadata(payload.data, text)
    return Answer(payloads_lines(result.payloads) or [Line("nothing", Look.QUIET)], text)


def _trace_of_code(trace: str) -> list[Line]:
    """Write the stacks of a workflow's tasks; Python's are called by what they wait for, without the query's own."""
    lines: list[Line] = []
    for stack in trace.split("\n\n\n"):
        heading, _, frames = stack.strip("\n").partition("\n")
        named = PYTHON_STACK.match(heading)
        if named is None:
            lines += [Line(""), *trace_lines(stack)]
        elif not named["name"].startswith("query: "):
            lines += [Line(""), Line(show_controls(named["name"]), Look.HEADING), *trace_lines(frames)]
    return lines[1:]


def _read_metadata(data: bytes, text: str) -> Answer:
    from google.protobuf.json_format import Parse
    from temporalio.api.sdk.v1 import WorkflowMetadata

    metadata = Parse(data, WorkflowMetadata(), ignore_unknown_fields=True)
    definition = metadata.definition
    lines = [Line("current details", Look.HEADING)]
    details = show_controls(without_marks(metadata.current_details)).splitlines()
    lines += [Line(each) for each in details] or [Line("none", Look.QUIET)]
    for title, definitions in (
        ("signals", definition.signal_definitions),
        ("updates", definition.update_definitions),
        ("queries", definition.query_definitions),
    ):
        lines += _definition_lines(title, definitions)
    if definition.type:
        lines += [Line(""), Line(f"type {definition.type}", Look.QUIET)]
    return Answer(
        lines,
        text,
        _named(definition.query_definitions),
        _named(definition.signal_definitions),
        _named(definition.update_definitions),
    )


def _named(definitions: Iterable[Any]) -> tuple[Definition, ...]:
    """Return those that can be called by a name: not the SDK's own, nor the one for any other name."""
    return tuple(
        Definition(each.name, " ".join(each.description.split()))
        for each in definitions
        if each.name and not each.name.startswith("__")
    )


def _definition_lines(title: str, definitions: Iterable[Any]) -> list[Line]:
    shown = [each for each in definitions if not each.name.startswith("__")]
    if not shown:
        return []
    width = max(len(each.name) for each in shown)
    lines = [Line(""), Line(title, Look.HEADING)]
    for each in shown:
        words = show_controls(" ".join(each.description.split()))
        lines.append(Line(f"{show_controls(each.name) or 'any other name':<{width}}  {words}".rstrip()))
    return lines
