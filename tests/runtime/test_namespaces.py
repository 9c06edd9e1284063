"""Namespaces on a file that can't be written."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.core.errors import Unavailable
from engine.core.namespace import Namespace
from engine.runtime.namespaces import NamespaceRegistry
from engine.store.database import open_database


def test_what_can_not_be_written_is_unavailable_and_changes_nothing(tmp_path: Path) -> None:
    database = open_database(tmp_path / "history.db", {})
    registry = NamespaceRegistry(database)
    kept = Namespace(0, "kept-id", "kept")
    registry.save(kept)
    database.writer.execute("PRAGMA query_only=1")
    with pytest.raises(Unavailable, match="could not be written"):
        registry.save(Namespace(0, "other-id", "other"))
    with pytest.raises(Unavailable, match="could not be written"):
        registry.delete(kept)
    assert registry.all() == [kept]
    database.writer.execute("PRAGMA query_only=0")
    registry.save(Namespace(0, "other-id", "other"))
    registry.delete(kept)
    assert [each.name for each in NamespaceRegistry(database).all()] == ["other"]
    database.close()
