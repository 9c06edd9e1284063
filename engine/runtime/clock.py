"""The real world's `Env`: the system clock and random ids."""

from __future__ import annotations

import os
import time

__all__ = ["SystemEnv"]


class SystemEnv:
    """`Env` of a real server; run keys continue after the largest one in the file."""

    def __init__(self, last_run_key: int) -> None:
        self._last_run_key = last_run_key

    def now_ns(self) -> int:
        return time.time_ns()

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
