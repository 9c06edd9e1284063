"""The log of a client command, on stderr: off unless --log-level asks for it."""

from __future__ import annotations

import json
import logging
import sys

__all__ = ["set_up_log"]

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(
            {
                "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
                "level": record.levelname,
                "msg": record.getMessage(),
                "logger": record.name,
            }
        )


def set_up_log(level: str, form: str) -> None:
    """Send log records of at least `level` to stderr; `never` sends none."""
    if level == "never":
        logging.disable()
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _JsonFormatter() if form == "json" else logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    )
    logging.basicConfig(level=_LEVELS[level], handlers=[handler])
