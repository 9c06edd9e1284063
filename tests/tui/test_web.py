"""The browser in a web page: in a real Chromium, and closed to other sites."""

from __future__ import annotations

import http.client
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest
from playwright.sync_api import Page, WebSocket, sync_playwright

from durable_cli.tui.places import PLACES
from durable_cli.tui.screens.workflow.screen import VIEWS
from durable_cli.tui.web.links import Place, find_place, write_path
from tests.cli.conftest import Stage, run_stage
from tests.support.server_process import ServerProcess, dx_command, find_free_port, launch_dx, launch_server, running

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE_SECONDS = 20.0


def launch_with_page(folder: Path, *extra: str) -> tuple[ServerProcess, int]:
    """Start a server that offers its web page; return the page's port, too."""
    port, ui_port = find_free_port(), find_free_port()
    command = [*dx_command(), "server", "start-dev", "--port", str(port), "--ui-port", str(ui_port), *extra]
    return launch_server(command, port, folder / "dx.log"), ui_port


@pytest.fixture(scope="module")
def page_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stage, int]]:
    """A server with a worker, and the port of its page."""
    folder: Path = tmp_path_factory.mktemp("web")
    server, ui_port = launch_with_page(folder)
    with running(server), contextmanager(run_stage)(server, folder) as stage:
        yield stage, ui_port


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait until something is so."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.05)


class Screen:
    """What the page's terminal was sent."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._sent = bytearray()
        page.on("websocket", self._listen)

    def _listen(self, websocket: WebSocket) -> None:
        websocket.on("framereceived", lambda frame: self._sent.extend(frame if isinstance(frame, bytes) else b""))

    def wait_for(self, text: str) -> None:
        """Wait until the text was painted, and forget what was painted before."""
        end = time.monotonic() + PATIENCE_SECONDS
        while text.encode() not in self._sent:
            assert time.monotonic() < end, f"never painted: {text}"
            self._page.wait_for_timeout(50)
        self._sent.clear()


@pytest.mark.needs_chromium
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_a_workflow_is_found_signaled_and_seen_to_complete(page_stage: tuple[Stage, int]) -> None:
    stage, ui_port = page_stage
    workflow_id = stage.start("Waiter")
    stage.start("Stuck")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": 1200, "height": 700})
        foreign: list[str] = []
        page.on("request", lambda request: foreign.append(request.url) if "localhost" not in request.url else None)
        screen = Screen(page)
        page.goto(f"http://localhost:{ui_port}/")
        page.wait_for_selector("body.-first-byte")
        screen.wait_for(workflow_id)
        page.wait_for_function("document.activeElement.tagName === 'TEXTAREA'")
        page.keyboard.type("/")
        page.keyboard.type("WorkflowType = 'Waiter'")
        page.keyboard.press("Enter")
        screen.wait_for("1 run ")
        page.keyboard.press("Enter")
        screen.wait_for("nothing is scheduled")
        page.keyboard.press("s")
        screen.wait_for(f"Signal {workflow_id}")
        page.keyboard.type("finish")
        page.keyboard.press("Control+s")
        screen.wait_for("✓ Completed")
        assert [url for url in foreign if not url.startswith("data:")] == []
        chromium.close()
    assert stage.dx("workflow", "result", workflow_id).ok().stdout


@pytest.mark.needs_chromium
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_a_link_of_the_official_ui_opens_its_run(page_stage: tuple[Stage, int]) -> None:
    stage, ui_port = page_stage
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = chromium.new_page()
        screen = Screen(page)
        for workflow_id in ("order/7 ü", "-a%2Fb?#'\"&+;x"):
            stage.start("Waiter", name=workflow_id)
            described = stage.dx("workflow", "describe", "-w", workflow_id, "-o", "json").ok().json
            run_id = described["workflowExecutionInfo"]["execution"]["runId"]
            path = f"/namespaces/default/workflows/{quote(workflow_id, safe='')}/{run_id}/history"
            page.goto(f"http://localhost:{ui_port}{path}")
            screen.wait_for("events, grouped")
        page.goto(f"http://localhost:{ui_port}/namespaces/default/task-queues/any")
        screen.wait_for("1 task queue")
        chromium.close()


@pytest.mark.needs_chromium
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_the_address_follows_what_is_open_and_opens_it_again(page_stage: tuple[Stage, int]) -> None:
    stage, ui_port = page_stage
    workflow_id = "address/1 ü"
    stage.start("Waiter", name=workflow_id)
    described = stage.dx("workflow", "describe", "-w", workflow_id, "-o", "json").ok().json
    run_id = described["workflowExecutionInfo"]["execution"]["runId"]
    workflows = f"http://localhost:{ui_port}/namespaces/default/workflows"
    run = f"{workflows}/{quote(workflow_id, safe='')}/{run_id}"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": 1200, "height": 700})
        screen = Screen(page)
        page.goto(f"http://localhost:{ui_port}/")
        screen.wait_for(workflow_id)
        page.wait_for_url(workflows)
        page.wait_for_function("document.activeElement.tagName === 'TEXTAREA'")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{run}/timeline")
        page.keyboard.press("2")
        page.wait_for_url(f"{run}/history")
        screen.wait_for("events, grouped")
        page.reload()
        screen.wait_for("events, grouped")
        assert page.url == f"{run}/history"
        page.wait_for_function("document.activeElement.tagName === 'TEXTAREA'")
        page.keyboard.press("Escape")
        page.wait_for_url(workflows)
        page.keyboard.press("8")
        page.wait_for_url(f"http://localhost:{ui_port}/namespaces/default/server")
        screen.wait_for("Capabilities")
        page.reload()
        screen.wait_for("Capabilities")
        chromium.close()


@pytest.mark.needs_chromium
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_the_page_says_that_there_is_no_server_and_finds_one(tmp_path: Path, page_stage: tuple[Stage, int]) -> None:
    stage, _ = page_stage
    port, ui_port = find_free_port(), find_free_port()
    address = f"127.0.0.1:{port}"
    pages = stage.dx.launch("ui", "--address", address, "--port", str(ui_port))
    try:
        until(lambda: is_open(ui_port), "the page is served")
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = chromium.new_page(viewport={"width": 1200, "height": 700})
            screen = Screen(page)
            page.goto(f"http://localhost:{ui_port}/")
            screen.wait_for(f"nothing listens at {address}")
            with running(launch_dx(tmp_path, port=port)):
                screen.wait_for("No workflows in namespace default yet")
            page.goto(f"http://localhost:{ui_port}/namespaces/default/workflows/gone/r1/history")
            screen.wait_for(f"nothing listens at {address}")
            pages.terminate()
            page.wait_for_selector("body.-closed")
            chromium.close()
    finally:
        pages.kill()
        pages.communicate()


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/", Place()),
        ("/namespaces", Place(screen="namespaces")),
        ("/namespaces/orders", Place("orders")),
        ("/namespaces/orders/workflows", Place("orders")),
        ("/namespaces/orders/workflows/a", Place("orders", "a")),
        ("/namespaces/orders/workflows/a%2Fb/r1/history", Place("orders", "a/b", "r1", view="history")),
        ("/namespaces/orders/workflows/a%252Fb/r1/", Place("orders", "a%2Fb", "r1")),
        ("/namespaces/orders/workflows/a%2F/r1", Place("orders", "a/", "r1")),
        ("/namespaces/a%20b/workflows/-x+1%3F%23'%22/r1/history", Place("a b", "-x+1?#'\"", "r1", view="history")),
        ("/namespaces/orders/workflows/a/r1/history/events/7", Place("orders", "a", "r1", view="history")),
        ("/namespaces/orders/workflows/a/r1/timeline", Place("orders", "a", "r1", view="timeline")),
        ("/namespaces/orders/workflows/a/r1/relationships", Place("orders", "a", "r1", view="relations")),
        ("/namespaces/orders/workflows/a/r1/pending-activities", Place("orders", "a", "r1", view="pending")),
        ("/namespaces/orders/workflows/a/r1/call-stack", Place("orders", "a", "r1", view="queries")),
        ("/namespaces/orders/workflows/a/r1/memo", Place("orders", "a", "r1")),
        ("/namespaces/orders/workflows/ü/r1", Place("orders", "ü", "r1")),
        ("/namespaces/orders/workflows/%C3%BC%0A", Place("orders", "ü\n")),
        ("/namespaces/orders/workflows//r1", Place("orders")),
        ("/namespaces/orders/workflows/a%00b/r1", None),
        ("/namespaces/orders/schedules/nightly", Place("orders", screen="schedules")),
        ("/namespaces/orders/task-queues/q", Place("orders", screen="task_queues")),
        ("/namespaces/orders/batch-operations", Place("orders", screen="batches")),
        ("/namespaces/orders/workers", Place("orders", screen="workers")),
        ("/namespaces/orders/deployments/d", Place("orders", screen="deployments")),
        ("/favicon.ico", None),
        ("/namespaces/orders/nonsense", None),
    ],
)
def test_where_a_path_leads(path: str, place: Place | None) -> None:
    assert find_place(path) == place


def test_what_is_open_is_found_again_by_its_path() -> None:
    runs = [("a", ""), ("a", "r1"), ("-a%2Fb?#'\"&+;x", "r1"), ("order/7 ü", "r1")]
    places = [Place("my ns", workflow_id, run_id) for workflow_id, run_id in runs]
    places += [Place("default", "a", "r1", view=view) for view in VIEWS]
    places += [Place("default", screen=place.name) for place in PLACES[1:]]
    places += [Place("default"), Place(screen="namespaces")]
    for place in places:
        assert find_place(write_path(place)) == place
    assert write_path(Place("default", "..", "r1")) == "", "a web browser would go up by it"
    assert write_path(Place("default", "a", "r1", view="history")) == "/namespaces/default/workflows/a/r1/history"


def ask(ui_port: int, path: str, **headers: str) -> int:
    """Return the status of a request."""
    connection = http.client.HTTPConnection("127.0.0.1", ui_port, timeout=20)
    connection.request("GET", path, headers={"Host": f"localhost:{ui_port}", **headers})
    return connection.getresponse().status


def test_other_sites_get_nothing(page_stage: tuple[Stage, int]) -> None:
    _, ui_port = page_stage
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    upgrade["Sec-WebSocket-Key"] = "AAAAAAAAAAAAAAAAAAAAAA=="
    own = {**upgrade, "Origin": f"http://localhost:{ui_port}"}
    assert ask(ui_port, "/ws/", **own) == 101
    assert ask(ui_port, "/ws/", **{**upgrade, "Origin": "http://elsewhere.example"}) == 403
    assert ask(ui_port, "/ws/", **{**upgrade, "Origin": "null"}) == 403
    # A name of somebody else's that points at this machine.
    assert ask(ui_port, "/", Host=f"elsewhere.example:{ui_port}") == 403
    assert ask(ui_port, "/") == 200
    assert ask(ui_port, "/nowhere") == 404


def page_processes(server: ServerProcess) -> list[psutil.Process]:
    return psutil.Process(server.pid).children(recursive=True)


def test_the_page_costs_nothing_until_somebody_looks_and_ends_with_the_server(tmp_path: Path) -> None:
    server, ui_port = launch_with_page(tmp_path)
    with running(server):
        assert page_processes(server) == []
        assert ask(ui_port, "/") == 200
        children = page_processes(server)
        assert children
        server.kill()
        until(lambda: not any(child.is_running() and child.status() != "zombie" for child in children), "they end")


def test_a_port_that_is_taken_is_said(tmp_path: Path, page_stage: tuple[Stage, int]) -> None:
    stage, ui_port = page_stage
    refused = stage.dx("server", "start-dev", "--port", str(find_free_port()), "--ui-port", str(ui_port))
    assert refused.code == 1
    assert f"{ui_port} for the web page" in refused.stderr
    assert "--headless" in refused.stderr


def test_a_page_of_its_own_says_that_its_port_is_taken(page_stage: tuple[Stage, int]) -> None:
    stage, ui_port = page_stage
    refused = stage.dx("ui", "--port", str(ui_port))
    assert refused.code == 1
    assert f"can't listen on port {ui_port}" in refused.stderr
    assert "--port; 0 takes a free one" in refused.stderr
