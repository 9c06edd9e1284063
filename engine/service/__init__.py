"""The gRPC layer: requests in, replies out; validation and semantics live in `engine.core`."""

from __future__ import annotations

import importlib.util
import sys

__all__ = ["skip_sdk_import"]


def skip_sdk_import() -> None:
    """Make `temporalio.api` importable without `temporalio/__init__`, which loads the whole SDK, and without grpc.

    Only for the server's own process: it needs the message types alone, and the rest is most of its start-up time.
    """
    spec = None if "temporalio" in sys.modules else importlib.util.find_spec("temporalio")
    if spec is not None:
        sys.modules["temporalio"] = importlib.util.module_from_spec(spec)
    # The stubs beside the messages are left out where there is no grpc.
    sys.modules.setdefault("grpc", None)  # type: ignore[arg-type]
