"""The lines that a started server prints; plain strings, since this is on the way to a ready server."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

__all__ = ["render_startup"]


def render_startup(address: str, db_filename: Path | None, ui_port: int | None, form: str, color: str) -> str:
    """Render where the server listens, where its web page is, and where it keeps its history.

    Args:
        ui_port: the page's port; None when there is no page.
        form: text, json, jsonl or none.
    """
    if form == "none":
        return ""
    if form in {"json", "jsonl"}:
        lines = {"address": address, "dbFilename": str(db_filename) if db_filename else None, "uiPort": ui_port}
        return json.dumps(lines) + "\n"
    coloured = color == "always" or (color == "auto" and sys.stdout.isatty() and "NO_COLOR" not in os.environ)
    bold, dim, green, yellow, reset = (
        ("\x1b[1m", "\x1b[2m", "\x1b[32m", "\x1b[33m", "\x1b[0m") if coloured else ("", "", "", "", "")
    )
    kept = (
        str(db_filename)
        if db_filename
        else f"{yellow}in memory, lost at exit{reset} {dim}(--db-filename FILE keeps it){reset}"
    )
    page = f"  {dim}Web UI{reset}   http://localhost:{ui_port}\n" if ui_port else ""
    return (
        f"\n{green}●{reset} {bold}dx{reset} is ready\n\n"
        f"  {dim}gRPC{reset}     {bold}{address.replace('127.0.0.1:', 'localhost:', 1)}{reset}\n"
        f"{page}"
        f"  {dim}History{reset}  {kept}\n\n"
        f"  {dim}Ctrl-C stops the server.{reset}\n"
    )
