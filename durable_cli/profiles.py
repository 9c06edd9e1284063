"""The profiles of the configuration file (`temporal.toml`): which there are, and how one is connected to.

Codecs are read here, since the SDK's loader leaves them out.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from durable_cli.errors import CliError
from durable_cli.options import ConnectionOptions, GlobalOptions

__all__ = ["Profile", "choose_profile", "find_config_file", "list_profiles", "load_profile_codec"]


@dataclass(frozen=True, slots=True)
class Profile:
    """What a profile says of its connection, as far as a person chooses by it."""

    name: str
    address: str
    namespace: str
    uses_tls: bool
    has_codec: bool


def find_config_file(options: GlobalOptions) -> Path:
    """Return where the configuration file is, or would be."""
    given = options.config_file or ("" if options.disable_config_env else os.environ.get("TEMPORAL_CONFIG_FILE"))
    if given:
        return Path(given)
    from platformdirs import user_config_path

    return user_config_path("temporalio", appauthor=False, roaming=True) / "temporal.toml"


def list_profiles(options: GlobalOptions) -> Sequence[Profile]:
    """Return the profiles by their names; none where there is no file.

    Raises:
        CliError: the file can't be read.
    """
    return [_profile(name, fields) for name, fields in sorted(_load_profiles(options).items())]


def choose_profile(options: GlobalOptions, name: str) -> tuple[GlobalOptions, ConnectionOptions]:
    """Return the options that connect as a profile says, and nothing else: no flag, no variable."""
    chosen = replace(options, profile=name, config_file=str(find_config_file(options)), disable_config_env=True)
    return chosen, ConnectionOptions()


def load_profile_codec(options: GlobalOptions) -> Mapping[str, str]:
    """Return the codec of the profile that is in use: `endpoint` and `auth`, as far as it has them."""
    environment: Mapping[str, str] = {} if options.disable_config_env else os.environ
    name = options.profile or environment.get("TEMPORAL_PROFILE") or "default"
    codec = _load_profiles(options).get(name, {}).get("codec", {})
    return {key: value for key, value in codec.items() if isinstance(value, str)} if isinstance(codec, dict) else {}


def _load_profiles(options: GlobalOptions) -> dict[str, dict[str, Any]]:
    if options.disable_config_file:
        return {}
    import tomllib

    file = find_config_file(options)
    try:
        stored = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise CliError(
            f"the client configuration can't be used: {error}", f"look at {file}, or pass --disable-config-file"
        ) from None
    profiles = stored.get("profile", {})
    if not isinstance(profiles, dict):
        return {}
    return {name: fields for name, fields in profiles.items() if isinstance(fields, dict)}


def _profile(name: str, fields: Mapping[str, Any]) -> Profile:
    tls = fields.get("tls")
    is_disabled = isinstance(tls, dict) and bool(tls.get("disabled"))
    return Profile(
        name,
        str(fields.get("address") or "localhost:7233"),
        str(fields.get("namespace") or "default"),
        not is_disabled and (tls is not None or bool(fields.get("api_key"))),
        isinstance(fields.get("codec"), dict),
    )
