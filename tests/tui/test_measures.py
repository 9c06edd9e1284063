"""What is measured, and the small pictures of it."""

from __future__ import annotations

import pytest

from durable_cli.tui.call_record import CallRecord, Second
from durable_cli.tui.place_rows import KindRow, TaskQueueRow
from durable_cli.tui.plots import plot, progress_bar, sparkline
from durable_cli.tui.queue_history import QueueHistory
from durable_cli.tui.server_metrics import MetricsHistory, parse_metrics


@pytest.mark.parametrize(
    ("values", "width", "top", "picture"),
    [
        ([], 4, 0, "    "),
        ([0, 0], 4, 0, "  ▁▁"),
        ([0, 1, 4, 8], 4, 0, "▁▂▄█"),
        ([0, 1, 4, 8], 2, 0, "▄█"),
        ([1, 2], 3, 8, " ▂▂"),
    ],
)
def test_a_sparkline_has_its_newest_value_at_the_right(
    values: list[float], width: int, top: float, picture: str
) -> None:
    assert sparkline(values, width, top=top) == picture


def test_a_plot_has_several_lines() -> None:
    assert plot([0, 6, 12], 3, 3) == ["  █", " ▄█", "▁██"]


@pytest.mark.parametrize(
    ("done", "total", "bar"), [(0, 10, "────"), (5, 10, "━━──"), (10, 10, "━━━━"), (0, 0, "━━━━"), (12, 10, "━━━━")]
)
def test_a_bar_of_what_is_done(done: int, total: int, bar: str) -> None:
    assert "".join(progress_bar(done, total, 4)) == bar


def test_calls_are_counted_by_the_second_in_which_they_end() -> None:
    record = CallRecord()
    record.note(9.9, 10.1)
    record.note(10.2, 10.6)
    record.note(4.0, 10.9, waits=True)
    record.note_error(12.5)
    ten, eleven, twelve = record.last(13.2, 3)
    assert (ten.calls, ten.timed) == (3, 2)
    assert ten.mean_seconds == pytest.approx(0.3)
    assert ten.slowest_seconds == pytest.approx(0.4)
    assert eleven == Second()
    assert (twelve.calls, twelve.errors) == (1, 1)


def test_a_task_queue_whose_server_measures_no_rates() -> None:
    history = QueueHistory()
    history.note(TaskQueueRow("q"))
    assert not history.backlog
    history.note(TaskQueueRow("q", KindRow(2, 0, 0, 0, ()), KindRow(1, 0, 0, 0, ())))
    assert list(history.backlog) == [3]
    assert not history.has_rates
    history.note(TaskQueueRow("q", KindRow(0, 0, 1.5, 0, ()), KindRow(0, 0, 1, 2, ())))
    assert history.has_rates
    assert history.added[-1] == 2.5


METRICS = b"""# TYPE service_requests counter
service_requests{namespace="default",operation="StartWorkflowExecution",service_name="frontend"} 40
service_requests{namespace="default",operation="PollWorkflowTaskQueue",service_name="frontend"} 2
service_requests{namespace="default",operation="StartWorkflowExecution",service_name="history"} 900
service_latency_sum{namespace="default",operation="StartWorkflowExecution",service_name="frontend"} 0.2
service_latency_count{namespace="default",operation="StartWorkflowExecution",service_name="frontend"} 40
service_latency_sum{namespace="default",operation="PollWorkflowTaskQueue",service_name="frontend"} 120
service_latency_count{namespace="default",operation="PollWorkflowTaskQueue",service_name="frontend"} 2
persistence_requests{operation="UpdateShard",service_name="history"} 7
memory_heapinuse{service_name="frontend"} 5e+07
memory_heapinuse{service_name="history"} 5e+07
other_things{a="b"} 3
"""


def test_a_metrics_page_is_summed_up() -> None:
    assert parse_metrics(METRICS) == {
        "service_requests": 42,
        "service_latency_sum": 0.2,
        "service_latency_count": 40,
        "persistence_requests": 7,
        "memory_heapinuse": 5e7,
    }
    assert parse_metrics(b"<html>no metrics</html>") == {}


def test_what_two_readings_say() -> None:
    history = MetricsHistory()
    first = parse_metrics(METRICS)
    history.note(100, first)
    assert not history.requests
    history.note(
        102,
        {
            **first,
            "service_requests": 62,
            "service_latency_sum": 0.3,
            "service_latency_count": 50,
            "service_error_with_type": 4,
        },
    )
    assert (history.requests[-1], history.errors[-1], history.persistence[-1]) == (10, 2, 0)
    assert history.latency_ms[-1] == pytest.approx(10)
    assert list(history.memory_mb) == [50, 50]
    history.note(104, {"service_requests": 1})
    assert len(history.requests) == 1, "the server was started anew"
