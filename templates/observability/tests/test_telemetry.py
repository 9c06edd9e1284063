"""What a worker tells about itself, on a real server that starts with the tests."""

import asyncio
import json
import logging
import socket
import urllib.request

from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from temporalio.client import Client

import telemetry
from activities import pack, ship
from workflows import ShippingWorkflow


async def test_metrics_and_traces(
    dx_server, dx_namespace, dx_worker, monkeypatch
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setattr(telemetry, "METRICS_PORT", port)
    spans = InMemorySpanExporter()
    client = await Client.connect(
        dx_server.address,
        namespace=dx_namespace,
        plugins=[telemetry.TelemetryPlugin(spans)],
    )

    async with dx_worker(
        client=client, workflows=[ShippingWorkflow], activities=[pack, ship]
    ) as worker:
        parcel = await client.execute_workflow(
            ShippingWorkflow.run, "1", id="order-1", task_queue=worker.task_queue
        )
        metrics = await asyncio.to_thread(read, f"http://127.0.0.1:{port}/metrics")
    assert parcel == "parcel-1"

    assert "orders_packed_total{" in metrics
    assert "temporal_activity_execution_failed_total{" in metrics
    # All are part of one trace, and the activity that failed has a span per attempt.
    names = [span.name for span in spans.get_finished_spans()]
    assert names.count("RunActivity:pack") == 1
    assert names.count("RunActivity:ship") == 2
    assert "RunWorkflow:ShippingWorkflow" in names
    assert len({span.context.trace_id for span in spans.get_finished_spans()}) == 1


def test_a_log_line_says_for_whom() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 1, "packing %s", ("1",), None)
    record.temporal_activity = {"workflow_id": "order-1", "activity_type": "pack"}
    line = json.loads(telemetry.JsonFormatter().format(record))
    assert line["message"] == "packing 1"
    assert line["workflow_id"] == "order-1"
    assert line["activity_type"] == "pack"


def read(url: str) -> str:
    with urllib.request.urlopen(url) as response:
        return response.read().decode()
