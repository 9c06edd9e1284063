"""The server's clock, and the real world's `Env`: that clock and random ids.

Rules:
- `Clock.now_ns` is the server's time: everything that a history or a deadline says. `Clock.system_ns` is the machine's:
  whatever is about processes that live outside of it (when a worker polled last, the order of ids).
- The clock moves forward only: by itself as the system's does, and by jumps. Where it stands, it moves by those alone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Protocol

from engine.core.env import Env
from engine.store.clock import ClockSetting

__all__ = ["Clock", "ServerEnv", "SystemEnv"]


class Clock:
    """The system's clock with an offset; it may stand still."""

    def __init__(self, system_ns: Callable[[], int] = time.time_ns) -> None:
        self.system_ns = system_ns
        self.setting = ClockSetting()
        self._offset_ns = 0

    def now_ns(self) -> int:
        """Return the server's time in nanoseconds since the epoch."""
        if self.setting.stands_at_ns is not None:
            return self.setting.stands_at_ns
        return self.system_ns() + self._offset_ns

    @property
    def stands(self) -> bool:
        """Say whether it stands still."""
        return self.setting.stands_at_ns is not None

    @property
    def offset_ns(self) -> int:
        """Return how far it is ahead of the system's clock now; where it stands, that shrinks."""
        return self.now_ns() - self.system_ns() if self.stands else self._offset_ns

    def set(self, setting: ClockSetting) -> None:
        """Go by `setting` from now on."""
        self.setting = setting
        self._offset_ns = setting.offset_ns

    def moved_to(self, time_ns: int) -> ClockSetting:
        """Return the setting with which it is `time_ns` now."""
        if self.stands:
            return ClockSetting(self._offset_ns, time_ns)
        return ClockSetting(time_ns - self.system_ns())

    def stopped(self) -> ClockSetting:
        """Return the setting with which it stands where it is."""
        return ClockSetting(self._offset_ns, self.now_ns())

    def running(self) -> ClockSetting:
        """Return the setting with which it goes on from where it is."""
        return ClockSetting(self.offset_ns)


class ServerEnv(Env, Protocol):
    """The `Env` of an engine: its time is that of `clock`."""

    @property
    def clock(self) -> Clock:
        """Return where the time comes from."""
        ...


class SystemEnv:
    """`Env` of a real server; run keys continue after the largest one in the file."""

    def __init__(self, last_run_key: int) -> None:
        self.clock = Clock()
        self.now_ns = self.clock.now_ns
        self._last_run_key = last_run_key

    def new_id(self) -> str:
        """Return a UUID of version 7: ids made one after the other stand beside each other in an index."""
        raw = bytearray((time.time_ns() // 1_000_000).to_bytes(6, "big") + os.urandom(10))
        raw[6] = raw[6] & 0x0F | 0x70
        raw[8] = raw[8] & 0x3F | 0x80
        text = raw.hex()
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def new_run_key(self) -> int:
        self._last_run_key += 1
        return self._last_run_key
