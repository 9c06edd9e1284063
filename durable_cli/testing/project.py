"""What a project's `dx.toml` declares that its tests need, too."""

from __future__ import annotations

import tomllib
from pathlib import Path

from durable_cli.testing.errors import DxError
from durable_cli.testing.server import ServerOptions

__all__ = ["read_server_options"]


def read_server_options(folder: Path) -> ServerOptions:
    """Return the search attributes and the dynamic configuration of the folder's `dx.toml`, if there is one.

    Raises:
        DxError: it is not TOML; what else is wrong in it, `dx dev` says.
    """
    path = folder / "dx.toml"
    if not path.is_file():
        return {}
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DxError(f"{path.name} can't be read: {error}\n\nhint: `dx dev` shows what is wrong in it") from None
    return {
        "search_attributes": document.get("search_attributes", {}),
        "dynamic_config": document.get("server", {}).get("dynamic_config", {}),
    }
