"""Choose which profile of the configuration file is browsed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from durable_cli.errors import CliError
from durable_cli.profiles import Profile, choose_profile, find_config_file, list_profiles
from durable_cli.tui.dialogs.pick import PickDialog
from durable_cli.tui.feed.link import Link

if TYPE_CHECKING:
    from durable_cli.tui.app_places import PlacesApp

__all__ = ["choose_link", "profile_options"]


async def choose_link(app: PlacesApp, first: Link) -> Link | None:
    """Ask for a profile; return the link to its server, or None to stay.

    Args:
        first: how the browser was started, which can be gone back to.
    """
    try:
        profiles = list_profiles(first.global_options)
    except CliError as error:
        app.notify(error.hint or "", title=error.message, severity="error")
        return None
    if not profiles:
        hint = f'[profile.NAME] with address = "HOST:PORT" makes one, in {find_config_file(first.global_options)}'
        app.notify(hint, title="there are no profiles", severity="warning")
        return None
    options = profile_options(
        profiles, started_as=(first.profile, first.address, first.namespace), now=app.link.profile
    )
    chosen = await app.push_screen_wait(PickDialog("Profile", options))
    if chosen is None or chosen == app.link.profile:
        return None
    if chosen == first.profile:
        return Link(first.global_options, first.options, app.post_message)
    return Link(*choose_profile(first.global_options, chosen), app.post_message)


def profile_options(
    profiles: Sequence[Profile], *, started_as: tuple[str, str, str], now: str
) -> Sequence[tuple[str, str]]:
    """Return what there is to choose from: names, and how they are shown, with a sign at the one in use.

    Args:
        started_as: profile, address and namespace that the browser was started with; without a profile that is one
            more choice.
    """
    started, address, namespace = started_as
    rows = [(each.name, each.name, each.address, each.namespace, _remarks(each)) for each in profiles]
    if not started:
        rows.insert(0, ("", "(as started)", address, namespace, ""))
    widths = [max(len(row[column]) for row in rows) for column in (1, 2, 3)]
    return [
        (
            row[0],
            f"{'●' if row[0] == now else ' '} "
            + "  ".join([*(row[column].ljust(width) for column, width in zip((1, 2, 3), widths, strict=True)), row[4]]),
        )
        for row in rows
    ]


def _remarks(profile: Profile) -> str:
    return " ".join(word for word, is_so in (("TLS", profile.uses_tls), ("codec", profile.has_codec)) if is_so)
