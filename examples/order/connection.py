"""Connect to the server, or say in one line why not."""

from __future__ import annotations

import asyncio
import os
import sys

from temporalio.client import Client

ADDRESS = os.environ.get("TEMPORAL_ADDRESS", "localhost:7233")


async def connect() -> Client:
    """Return a client of the server at TEMPORAL_ADDRESS; without one, end the program."""
    try:
        return await Client.connect(ADDRESS)
    except RuntimeError as error:
        # A Python that exits in the very moment of the SDK's answer can abort in the SDK's threads.
        await asyncio.sleep(0.2)
        sys.exit(f"no server at {ADDRESS}: {error}\n\nhint: start one with `dx server start-dev`")
