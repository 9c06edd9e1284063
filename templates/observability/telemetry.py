"""What a worker tells about itself: metrics, traces, and logs that say for whom.

One plugin of the SDK, for any worker and client: `Client.connect(plugins=[plugin])`.
In dx.toml: `plugins = ["telemetry:plugin"]`.
"""

import json
import logging
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import (
    ConsoleSpanExporter,
    SimpleSpanProcessor,
    SpanExporter,
)
from temporalio import activity, workflow
from temporalio.contrib.opentelemetry import TracingInterceptor
from temporalio.plugin import SimplePlugin
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.service import ConnectConfig, ServiceClient

METRICS_PORT = int(os.environ.get("METRICS_PORT", "9464"))
TRACES_FILE = os.environ.get("TRACES_FILE", "traces.jsonl")

logger = logging.getLogger(__name__)


class TelemetryPlugin(SimplePlugin):
    """Traces every workflow and activity, serves the metrics, and sets the logs up."""

    def __init__(self, exporter: SpanExporter) -> None:
        super().__init__("telemetry", interceptors=[make_tracing_interceptor(exporter)])

    async def connect_service_client(
        self,
        config: ConnectConfig,
        next: Callable[[ConnectConfig], Awaitable[ServiceClient]],
    ) -> ServiceClient:
        """Connect by a runtime that measures."""
        set_up_logs()
        config.runtime = make_runtime()
        return await next(config)


def make_file_exporter() -> SpanExporter:
    """Write each span to a file, as one line of JSON.

    For a collector (Jaeger, Tempo, …), `pip install opentelemetry-exporter-otlp` and
    return an OTLPSpanExporter; take a BatchSpanProcessor below then.
    """
    return ConsoleSpanExporter(
        out=open(TRACES_FILE, "a", encoding="utf-8"),
        formatter=lambda span: span.to_json(indent=None) + "\n",
    )


def make_tracing_interceptor(exporter: SpanExporter) -> TracingInterceptor:
    """Make a span of every workflow, every activity, and whatever starts them."""
    provider = TracerProvider(resource=Resource.create({"service.name": "shipping"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    # A workflow that a command line or a schedule starts has no span of a client above
    # it, and would not be traced without this.
    return TracingInterceptor(
        provider.get_tracer("temporalio"), always_create_workflow_spans=True
    )


def make_runtime() -> Runtime:
    """Serve the metrics at http://127.0.0.1:METRICS_PORT/metrics.

    A new worker starts while the old one has the port; then the next one is taken.
    """
    for port in range(METRICS_PORT, METRICS_PORT + 10):
        metrics = PrometheusConfig(
            bind_address=f"127.0.0.1:{port}",
            counters_total_suffix=True,
            unit_suffix=True,
            durations_as_seconds=True,
        )
        try:
            runtime = Runtime(telemetry=TelemetryConfig(metrics=metrics))
        except (RuntimeError, ValueError) as error:
            logger.info("no metrics on port %d: %s", port, error)
            continue
        logger.info("metrics at http://127.0.0.1:%d/metrics", port)
        return runtime
    raise RuntimeError(f"no free port for metrics from {METRICS_PORT} on")


def set_up_logs() -> None:
    """Write every record as one line of JSON on stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # The context is in fields of its own here, so the message can do without.
    workflow.logger.workflow_info_on_message = False
    activity.logger.activity_info_on_message = False


class JsonFormatter(logging.Formatter):
    """Formats a record with the workflow or activity that it is about."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line of JSON."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "message": record.getMessage(),
            **getattr(record, "temporal_workflow", {}),
            **getattr(record, "temporal_activity", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


plugin = TelemetryPlugin(make_file_exporter())
