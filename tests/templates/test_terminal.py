"""`dx new` on a real terminal asks for what is not given."""

from __future__ import annotations

from pathlib import Path

from tests.support.server_process import dx_command
from tests.support.tmux import needs_tmux, terminal


@needs_tmux
def test_everything_is_asked(tmp_path: Path) -> None:
    with terminal(tmp_path, [*dx_command(), "new"], columns=80, lines=24) as screen:
        shown = screen.wait_for("observability")
        assert " » minimal             One workflow, one activity.\n" in shown
        screen.press("Down", "Enter")
        screen.wait_for("? Folder\n   python-order")
        screen.press("C-u", "shop", "Enter")
        screen.wait_for("? Name of the project\n   shop")
        screen.press("Enter")
        screen.wait_for("? Task queue of the worker\n   order-processing")
        screen.press("C-u", "sales", "Enter")
        shown = screen.wait_for("exit 0")
    assert shown.startswith("? Which template?\n   python-order\n? Folder\n   shop\n")
    assert "✓ made shop from the template python-order\n\n  cd shop\n  dx dev" in shown
    assert 'task_queue = "sales"' in (tmp_path / "shop" / "dx.toml").read_text()
    assert 'name = "shop"' in (tmp_path / "shop" / "pyproject.toml").read_text()


@needs_tmux
def test_answers_are_checked_at_once(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "notes.txt").touch()
    with terminal(tmp_path, [*dx_command(), "new", "minimal"], columns=80, lines=24) as screen:
        screen.wait_for("? Folder\n   minimal")
        screen.press("C-u", "taken", "Enter")
        screen.wait_for("the folder taken is not empty: it holds notes.txt")
        screen.press("C-u", "free", "Enter")
        screen.wait_for("? Name of the project\n   free")
        screen.press("C-u", "No Name", "Enter")
        screen.wait_for("use a-z, 0-9 and dashes")
        screen.press("C-c")
        screen.wait_for("exit 130")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


@needs_tmux
def test_defaults_ask_nothing(tmp_path: Path) -> None:
    with terminal(tmp_path, [*dx_command(), "new", "minimal", "--defaults"]) as screen:
        assert "?" not in screen.wait_for("exit 0")
    assert (tmp_path / "minimal" / "dx.toml").is_file()
