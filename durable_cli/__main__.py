"""Run `dx` as `python -m durable_cli`."""

from __future__ import annotations

from durable_cli.main import main

if __name__ == "__main__":
    main()
