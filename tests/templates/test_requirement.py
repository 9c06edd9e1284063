"""A new project installs the dx that made it, from where that came from."""

from __future__ import annotations

import json
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path

import pytest

from durable_cli.scaffold import requirement
from durable_cli.version import find_version


@pytest.mark.parametrize(
    ("recorded", "expected"),
    [
        (None, f"durable-dx=={find_version()}"),
        ({"url": "FOLDER", "dir_info": {"editable": True}}, "durable-dx @ FOLDER"),
        ({"url": "FOLDER", "dir_info": {}}, "durable-dx @ FOLDER"),
        ({"url": "FOLDER/gone.whl", "archive_info": {}}, f"durable-dx=={find_version()}"),
        (
            {"url": "https://example.com/dx.git", "vcs_info": {"vcs": "git", "commit_id": "abc123"}},
            "durable-dx @ git+https://example.com/dx.git@abc123",
        ),
        (
            {"url": "https://example.com/dx-1.0-py3-none-any.whl", "archive_info": {}},
            "durable-dx @ https://example.com/dx-1.0-py3-none-any.whl",
        ),
    ],
    ids=["index", "editable", "folder", "wheel that is gone", "git", "url"],
)
def test_requirement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recorded: dict[str, object] | None, expected: str
) -> None:
    folder = (tmp_path / "a folder").resolve()
    info = folder / "durable_dx.dist-info"
    info.mkdir(parents=True)
    if recorded:
        recorded["url"] = str(recorded["url"]).replace("FOLDER", folder.as_uri())
        (info / "direct_url.json").write_text(json.dumps(recorded))

    def find(name: str) -> Distribution:
        return PathDistribution(info)

    monkeypatch.setattr(requirement, "distribution", find)
    assert requirement.find_requirement() == expected.replace("FOLDER", folder.as_uri())
