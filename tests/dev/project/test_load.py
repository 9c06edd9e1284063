"""A file becomes a project: found from below, defaults filled in, paths resolved."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import pytest

from durable_cli.dev.project.interpreter import find_python
from durable_cli.dev.project.load import ProjectError, find_project_file, load_project, parse_project
from durable_cli.dev.project.model import USUALLY_IGNORED, Project, Worker
from durable_cli.errors import CliError

PYTHON_WORKER = '[worker.orders]\ntask_queue = "orders"\nworkflows = ["workflows"]\n'


def parse(text: str, folder: Path = Path("/shop")) -> Project:
    return parse_project(text, folder / "dx.toml")


def parse_worker(text: str, folder: Path = Path("/shop")) -> Worker:
    (worker,) = parse(text, folder).worker.values()
    return worker


def make_executable(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_the_nearest_file_above_is_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = tmp_path / "shop" / "orders"
    (inner / "deep").mkdir(parents=True)
    (tmp_path / "dx.toml").write_text('namespace = "outer"\n')
    (inner / "dx.toml").write_text('namespace = "inner"\n')
    monkeypatch.chdir(inner / "deep")
    assert load_project().namespace == "inner"
    assert load_project(tmp_path / "shop").namespace == "outer"
    assert load_project(tmp_path / "dx.toml").folder == tmp_path
    assert find_project_file(Path()) == inner / "dx.toml"


def test_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"there is no dx\.toml in"):
        load_project(tmp_path)
    with pytest.raises(ProjectError, match="there is no file or folder"):
        load_project(tmp_path / "nowhere")
    (tmp_path / "dx.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ProjectError, match="can't be read"):
        load_project(tmp_path)


def test_an_empty_file_has_all_defaults() -> None:
    project = parse("")
    assert project.namespace == "default"
    assert project.server.db_filename == Path("/shop/.dx/history.db")
    assert (project.server.ip, project.server.port, project.server.log_level) == ("127.0.0.1", 7233, "warn")
    assert (project.replay.closed_runs, project.replay.open_runs) == (10, 200)
    assert project.worker == {}


def test_a_workers_defaults_are_filled_in() -> None:
    worker = parse_worker('namespace = "shop"\n' + PYTHON_WORKER)
    assert worker.namespace == "shop"
    assert worker.cwd == Path("/shop")
    assert worker.watch == [Path("/shop")]
    assert worker.ignore == list(USUALLY_IGNORED)
    assert worker.graceful_shutdown_timeout == timedelta(seconds=10)
    assert worker.on_nondeterminism == "ask"
    assert worker.is_python
    assert worker.sdk_options == {}


def test_paths_are_resolved_against_the_files_folder() -> None:
    worker = parse_worker(PYTHON_WORKER + 'cwd = "mail"\npython = "venv/bin/python"\n')
    assert (worker.cwd, worker.watch, worker.python) == (
        Path("/shop/mail"),
        [Path("/shop/mail")],
        Path("/shop/venv/bin/python"),
    )
    assert parse_worker(PYTHON_WORKER + 'watch = ["lib", "/etc/shop"]\n').watch == [
        Path("/shop/lib"),
        Path("/etc/shop"),
    ]


def test_options_of_the_sdk_keep_their_names() -> None:
    worker = parse_worker(PYTHON_WORKER + "max_concurrent_activities = 100\nmax_activities_per_second = 5\n")
    assert worker.sdk_options == {"max_concurrent_activities": 100, "max_activities_per_second": 5.0}


def test_a_command_is_a_line_or_its_words() -> None:
    text = parse_worker("[worker.a]\ncommand = \"node 'lib/my worker.js'\"\n")
    assert (text.command, text.is_python) == (["node", "lib/my worker.js"], False)
    assert parse_worker('[worker.a]\ncommand = ["node", "a b"]\n').command == ["node", "a b"]


def test_a_schedule_is_filled_in() -> None:
    project = parse(
        'namespace = "shop"\n[schedules.nightly]\nworkflow_type = "Report"\ntask_queue = "reports"\n'
        'cron = "0 3 * * *"\nevery = ["10m", "1h30m"]\noverlap = "buffer_one"\n'
        "input = [{ day = 2026-01-02, at = 2026-01-02T03:04:05Z }]\n"
    )
    schedule = project.schedules["nightly"]
    assert (schedule.workflow_id, schedule.namespace, schedule.overlap) == ("nightly", "shop", "BufferOne")
    assert schedule.cron == ["0 3 * * *"]
    assert schedule.every == [timedelta(minutes=10), timedelta(minutes=90)]
    assert schedule.input == [{"day": "2026-01-02", "at": "2026-01-02T03:04:05+00:00"}]


def test_all_namespaces_of_the_file_are_known() -> None:
    project = parse(
        'namespace = "shop"\n[namespaces.a]\n[worker.w]\ncommand = "x"\nnamespace = "b"\n'
        '[nexus_endpoints.e]\ntask_queue = "q"\nnamespace = "c"\n'
    )
    assert project.all_namespaces == ["shop", "a", "b", "c"]


def test_the_interpreter_is_the_nearest(tmp_path: Path) -> None:
    worker = parse_worker(PYTHON_WORKER + 'cwd = "orders"\n', tmp_path)
    assert find_python(worker, tmp_path, {}) == Path(sys.executable)
    active = make_executable(tmp_path / "active" / "bin" / "python")
    environment = {"VIRTUAL_ENV": str(tmp_path / "active")}
    assert find_python(worker, tmp_path, environment) == active
    own = make_executable(tmp_path / ".venv" / "bin" / "python")
    assert find_python(worker, tmp_path, environment) == own
    nearer = make_executable(tmp_path / "orders" / ".venv" / "bin" / "python")
    assert find_python(worker, tmp_path, environment) == nearer
    named = parse_worker(PYTHON_WORKER + 'python = "active/bin/python"\n', tmp_path)
    assert find_python(named, tmp_path, {}) == active


def test_a_missing_interpreter_is_said(tmp_path: Path) -> None:
    worker = parse_worker(PYTHON_WORKER + 'python = "gone/python"\n', tmp_path)
    with pytest.raises(CliError, match="there is no Python interpreter at"):
        find_python(worker, tmp_path, {})
