"""How far a run's time is ahead of the clock, and what it may skip: derived, so folded here alone.

Rules (temporal server workflow/timeskipping.go):
- All that a run knows of the time is its own: the clock's and what the run has skipped. Only the due time that
  is stored to look at the run is the clock's.
- A config is updated as a whole; that begins a new session, whose skips are counted from 0.
- A session ends with `max_session_skip_count` skips, or with its fast-forward: then the config in effect is disabled.
- The next run of a chain goes on with the session and the fast-forward, a child with the time alone, and with the
  config unless that disables its propagation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from temporalio.api.common.v1 import (
    TimeSkippingConfig,
    TimeSkippingFastForwardInfo,
    TimeSkippingInfo,
    TimeSkippingStatePropagation,
)
from temporalio.api.history.v1 import HistoryEvent, WorkflowExecutionStartedEventAttributes

from engine.core.env import Env
from engine.core.policy.durations import (
    MAX_DURATION_NS,
    duration_to_ns,
    ns_to_duration,
    ns_to_timestamp,
    timestamp_to_ns,
)

if TYPE_CHECKING:
    from engine.core.run.state import RunState

__all__ = [
    "TimeSkipping",
    "begin",
    "current_time_ns",
    "fast_forward_info",
    "for_child",
    "for_next_run",
    "options_updated",
    "time_skipping_info",
    "transitioned",
]


@dataclass(slots=True)
class TimeSkipping:
    """What is known of a run that skips time, or did.

    `config` is the one in effect: `enabled` turns false when the session ends. Without a fast-forward in it
    `fast_forward_target_ns` is 0.
    """

    config: TimeSkippingConfig | None
    skipped_ns: int = 0
    skip_count: int = 0
    fast_forward_target_ns: int = 0
    fast_forward_reached: bool = False

    @property
    def enabled(self) -> bool:
        return self.config is not None and self.config.enabled

    @property
    def fast_forward_pending(self) -> bool:
        return self.enabled and self.fast_forward_target_ns != 0 and not self.fast_forward_reached


def current_time_ns(env: Env, state: RunState) -> int:
    """Return the time of a run."""
    return env.now_ns() + state.skipped_ns


def begin(state: RunState, event: HistoryEvent) -> None:
    """Fold the start of a run, with what it goes on from."""
    started = event.workflow_execution_started_event_attributes
    propagation = started.time_skipping_state_propagation
    skipped_ns = duration_to_ns(propagation.initial_skipped_duration)
    if not started.HasField("time_skipping_config") and not skipped_ns:
        return
    skipping = state.time_skipping = TimeSkipping(None, skipped_ns, propagation.initial_skip_count)
    target_ns = timestamp_to_ns(propagation.fast_forward_target_time)
    _set_config(skipping, started.time_skipping_config if started.HasField("time_skipping_config") else None)
    _set_fast_forward(skipping, target_ns, timestamp_to_ns(event.event_time))


def options_updated(state: RunState, event: HistoryEvent) -> None:
    """Fold an update of the config; without one in the event it is removed, and the run's time stays where it is."""
    attributes = event.workflow_execution_options_updated_event_attributes
    if not attributes.time_skipping_config_updated:
        return
    config = attributes.time_skipping_config if attributes.HasField("time_skipping_config") else None
    skipping = state.time_skipping
    if skipping is None:
        if config is None:
            return
        skipping = state.time_skipping = TimeSkipping(None)
    skipping.skip_count = 0
    _set_config(skipping, config)
    _set_fast_forward(skipping, 0, timestamp_to_ns(event.event_time))


def transitioned(state: RunState, event: HistoryEvent) -> None:
    """Fold a skip, or the end of a fast-forward without one."""
    skipping = state.time_skipping
    if skipping is None or skipping.config is None:
        return
    attributes = event.workflow_execution_time_skipping_transitioned_event_attributes
    if attributes.HasField("target_time"):
        skipping.skipped_ns += timestamp_to_ns(attributes.target_time) - timestamp_to_ns(event.event_time)
    if attributes.disabled_after_fast_forward:
        skipping.fast_forward_reached = True
        skipping.config.enabled = False
    skipping.skip_count += 1
    if skipping.skip_count >= skipping.config.max_session_skip_count:
        skipping.config.enabled = False


def for_next_run(state: RunState, started: WorkflowExecutionStartedEventAttributes) -> None:
    """Say in the next run's start, in place of what stands there, where it goes on."""
    started.ClearField("time_skipping_config")
    started.ClearField("time_skipping_state_propagation")
    skipping = state.time_skipping
    if skipping is None:
        return
    if skipping.config is not None:
        started.time_skipping_config.CopyFrom(skipping.config)
    propagation = started.time_skipping_state_propagation
    propagation.initial_skip_count = skipping.skip_count
    propagation.initial_skipped_duration.CopyFrom(ns_to_duration(skipping.skipped_ns))
    if skipping.fast_forward_target_ns:
        propagation.fast_forward_target_time.CopyFrom(ns_to_timestamp(skipping.fast_forward_target_ns))


def for_child(state: RunState) -> tuple[TimeSkippingConfig | None, TimeSkippingStatePropagation | None]:
    """Return what a child that is initiated now begins with."""
    skipping = state.time_skipping
    if skipping is None:
        return None, None
    propagation = None
    if skipping.skipped_ns:
        propagation = TimeSkippingStatePropagation(initial_skipped_duration=ns_to_duration(skipping.skipped_ns))
    if skipping.config is None or skipping.config.disable_propagation:
        return None, propagation
    config = TimeSkippingConfig()
    config.CopyFrom(skipping.config)
    config.ClearField("fast_forward_config")
    return config, propagation


def time_skipping_info(skipping: TimeSkipping, time_ns: int) -> TimeSkippingInfo:
    """Describe a run that skips time; `time_ns` is the run's."""
    return TimeSkippingInfo(
        current_time=ns_to_timestamp(time_ns),
        effective_config=skipping.config,
        fast_forward_info=fast_forward_info(skipping),
        current_session_skip_count=skipping.skip_count,
    )


def fast_forward_info(skipping: TimeSkipping | None) -> TimeSkippingFastForwardInfo | None:
    """Describe a run's fast-forward; None if it has none."""
    if skipping is None or skipping.config is None or not skipping.fast_forward_target_ns:
        return None
    return TimeSkippingFastForwardInfo(
        fast_forward_duration=skipping.config.fast_forward_config.duration,
        fast_forward_id=skipping.config.fast_forward_config.id,
        target_time=ns_to_timestamp(skipping.fast_forward_target_ns),
        has_completed=skipping.fast_forward_reached,
    )


def _set_config(skipping: TimeSkipping, config: TimeSkippingConfig | None) -> None:
    """Take a copy, since `enabled` changes in it and an event stays as it is."""
    skipping.config = None
    if config is not None:
        skipping.config = TimeSkippingConfig()
        skipping.config.CopyFrom(config)


def _set_fast_forward(skipping: TimeSkipping, target_ns: int, time_ns: int) -> None:
    """Set the target of the config's fast-forward: `target_ns` of the run before, or its duration from now on."""
    skipping.fast_forward_target_ns, skipping.fast_forward_reached = 0, False
    if skipping.config is None or not skipping.config.HasField("fast_forward_config"):
        return
    duration_ns = min(duration_to_ns(skipping.config.fast_forward_config.duration), MAX_DURATION_NS)
    skipping.fast_forward_target_ns = target_ns or time_ns + duration_ns
    if target_ns and target_ns <= time_ns:
        skipping.fast_forward_reached = True
        skipping.config.enabled = False
