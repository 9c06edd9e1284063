"""Every template is rendered, runs with `dx dev` at once, does what its README says, and passes its own tests."""

from __future__ import annotations

import re
import shutil
import urllib.request
from pathlib import Path

import pytest

from tests.dev.dev_process import replace_in, wait_until
from tests.templates.installation import Installation, Project

pytestmark = pytest.mark.timeout(600)

SETUP_SECONDS = 240  # pip and npm may have to fetch everything


@pytest.mark.template("minimal")
def test_minimal(installation: Installation, tmp_path: Path) -> None:
    project = installation.new("minimal", tmp_path / "hello")
    with project.running() as dev:
        dev.wait_for("hello", "ready")
        assert project.result("hello") == "Hello, world!"
        started = ("--type", "GreetingWorkflow", "--task-queue", "hello", "--input", '"you"')
        assert project.dx("execute", *started)["result"] == "Hello, you!"
    run_tests(project)


@pytest.mark.template("python-order")
def test_python_order(installation: Installation, tmp_path: Path) -> None:
    project = installation.new("python-order", tmp_path / "shop", "--data", "task_queue=sales")
    with project.running() as dev:
        dev.wait_for("orders", "ready", task_queue="sales")
        cancel_order(project, "get_status")
        order = '{"order_id": "2", "user_id": "user-123", "amount": 100, "email": "user@example.com", "card": "flaky"}'
        started = ("--type", "OrderWorkflow", "--task-queue", "sales", "--workflow-id", "order-2", "--input", order)
        assert project.dx("execute", *started)["result"] == "payment-order-2-2"
        said = project.run(str(installation.folder / "bin" / "python"), "place_order.py")
        assert re.search(r"started order-(\w+)\nstatus: \w+\nresult: payment-order-\1-2\n", said)
    run_tests(project)


@pytest.mark.needs_node
@pytest.mark.template("typescript-order")
def test_typescript_order(installation: Installation, tmp_path: Path) -> None:
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("Node.js and npm are not installed")
    project = installation.new("typescript-order", tmp_path / "shop", "--data", "task_queue=sales")
    with project.running() as dev:
        dev.wait_for("orders", "ready", seconds=SETUP_SECONDS)
        cancel_order(project, "getStatus")
        said = project.run("npm", "run", "order")
        assert re.search(r"started order-(\w+)\nstatus: \w+\nresult: payment-order-\1-2\n", said)
        # A change that the histories do not survive: the replay says so, and the worker stays.
        workflows = project.folder / "src" / "workflows.ts"
        replace_in(workflows, "await setStatus('processing');", "await condition(() => false, 1000);")
        dev.wait_for("orders", "held")
        replace_in(workflows, "await condition(() => false, 1000);", "await setStatus('processing');")
        dev.wait_for("orders", "ready")
    project.test("npm", "test")


@pytest.mark.template("python-cron-report")
def test_python_cron_report(installation: Installation, tmp_path: Path) -> None:
    project = installation.new("python-cron-report", tmp_path / "reports")
    with project.running() as dev:
        dev.wait_for("reports", "ready")
        for number in (1, 2):
            project.run("dx", "time", "skip", "1d")
            wait_until(lambda: len(project.list("ExecutionStatus = 'Completed'")) >= number, "a report")  # noqa: B023
        assert project.dx("describe", "daily-report")["workflowExecutionInfo"]["status"].endswith("RUNNING")
        started = ("--type", "DailyReportWorkflow", "--task-queue", "reports", "--input", '"asia"')
        assert project.dx("execute", *started)["result"]["number"] == 1
    run_tests(project)


@pytest.mark.template("python-saga")
def test_python_saga(installation: Installation, tmp_path: Path) -> None:
    project = installation.new("python-saga", tmp_path / "trips")
    with project.running() as dev:
        dev.wait_for("trips", "ready")
        steps = ["book_hotel", "book_car", "cancel_flight", "cancel_car", "cancel_hotel"]
        wait_until(lambda: project.query("trip-1", "get_steps") == steps, "the undone trip")
        trip = '{"trip_id": "2", "destination": "Oslo"}'
        started = ("--type", "TripWorkflow", "--task-queue", "trips", "--workflow-id", "trip-2", "--input", trip)
        booked = {"hotel": "hotel-2", "car": "car-2", "flight": "flight-2"}
        assert project.dx("execute", *started)["result"] == booked
    run_tests(project)


@pytest.mark.template("python-approval")
def test_python_approval(installation: Installation, tmp_path: Path) -> None:
    project = installation.new("python-approval", tmp_path / "approvals")
    python = str(installation.folder / "bin" / "python")
    with project.running() as dev:
        dev.wait_for("approvals", "ready")
        assert project.query("laptop", "get_status") == "asked"
        assert project.run(python, "decide.py", "laptop", "eve", "yes") == "refused: eve was not asked\n"
        assert project.run(python, "decide.py", "laptop", "ann", "yes") == "laptop is approved\n"
        assert project.result("laptop") == {"status": "approved", "by": "ann"}
        request = '{"subject": "a phone", "requester": "tom", "approver": "ann"}'
        started = ("--type", "ApprovalWorkflow", "--task-queue", "approvals", "--workflow-id", "phone")
        project.dx("start", *started, "--input", request)
        wait_until(lambda: project.timers("phone") == 1, "the wait for ann")
        project.run("dx", "time", "skip", "2d")
        assert project.result("phone") == {"status": "timed out", "by": ""}
    run_tests(project)


@pytest.mark.template("python-batch")
def test_python_batch(installation: Installation, tmp_path: Path) -> None:
    project = installation.new("python-batch", tmp_path / "batches")
    with project.running() as dev:
        dev.wait_for("batches", "ready")
        assert project.result("batch-1") == sum(range(500))
        assert project.query("batch-1", "get_progress") == "500 of 500 items"
    run_tests(project)


@pytest.mark.template("python-versioning")
def test_python_versioning(installation: Installation, tmp_path: Path) -> None:
    project = installation.new("python-versioning", tmp_path / "subscriptions")
    with project.running() as dev:
        dev.wait_for("subscriptions", "ready")
        wait_until(lambda: project.timers("subscription-1") == 1, "the first month")
        # What the README lets one try.
        workflows = project.folder / "workflows.py"
        code = workflows.read_text()
        loop, sleep = "for _ in range(months):\n", "            await workflow.sleep(timedelta(days=30))\n"
        changed = code.replace(sleep, "").replace(loop, loop + sleep)
        replace_in(workflows, code, changed)
        dev.wait_for("subscriptions", "held")
        assert "subscription-1" in dev.output
        replace_in(workflows, changed, code)
        dev.wait_for("subscriptions", "ready")
    run_tests(project)


@pytest.mark.template("observability")
def test_observability(installation: Installation, tmp_path: Path) -> None:
    project = installation.new("observability", tmp_path / "shipping")
    with project.running() as dev:
        dev.wait_for("shipping", "ready", seconds=SETUP_SECONDS)
        assert project.result("order-1") == "parcel-1"
        url = re.search(r"metrics at (http://[\d.:]+/metrics)", dev.output)
        assert url, dev.output
        with urllib.request.urlopen(url[1], timeout=10) as answer:
            assert "orders_packed_total{" in answer.read().decode()
        assert '"workflow_id": "order-1"' in dev.output
        assert '"RunActivity:ship"' in (project.folder / "traces.jsonl").read_text()
    run_tests(project)


def run_tests(project: Project) -> None:
    """Install a Python project, and run its tests."""
    project.install()
    project.test(".venv/bin/pytest")


def cancel_order(project: Project, query: str) -> None:
    """Cancel the order that dx.toml starts, once it is paid."""
    wait_until(lambda: project.query("order-1", query) == "paid", "the paid order")
    project.run("dx", "workflow", "signal", "order-1", "--name", "cancel", "--input", '{"reason": "ordered twice"}')
    assert project.result("order-1") == "cancelled: ordered twice"
