"""The `clock` table: how the server's time differs from the system's."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from engine.core.errors import Unavailable

__all__ = ["ClockSetting", "load_clock", "save_clock"]


@dataclass(frozen=True, slots=True)
class ClockSetting:
    """How far the server's clock is ahead of the system's, and where it stands; None while it runs."""

    offset_ns: int = 0
    stands_at_ns: int | None = None


def load_clock(connection: sqlite3.Connection) -> ClockSetting:
    """Return the file's clock; the system's time where it was never moved."""
    row = connection.execute("SELECT offset_ns, stands_at_ns FROM clock").fetchone()
    return ClockSetting() if row is None else ClockSetting(*row)


def save_clock(connection: sqlite3.Connection, setting: ClockSetting) -> None:
    """Write the clock, in a transaction of its own.

    Raises:
        Unavailable: it could not be written.
    """
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT OR REPLACE INTO clock VALUES (1, ?, ?)", (setting.offset_ns, setting.stands_at_ns))
        connection.execute("COMMIT")
    except BaseException as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if isinstance(error, sqlite3.Error):
            raise Unavailable(f"the clock could not be written ({error}); try again") from None
        raise
