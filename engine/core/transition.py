"""One change of one run: it gives events their ids, folds them, and collects what must be written and done.

Rules:
- A handler validates first and mutates second. What a transition collected is worth nothing until it is committed;
  after an exception its run is evicted and never used again.
- Events that the buffer rules hold back (run/buffer.py) are folded at once and get their ids at the flush: before a
  workflow task is scheduled, and at the end of a transition that leaves no workflow task started.
- `close` makes the bytes; nothing is added after it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from temporalio.api.history.v1 import HistoryEvent

from engine.core.effects import Effect
from engine.core.env import Env
from engine.core.errors import InvariantViolated, RunOutgrown
from engine.core.namespace import Namespace
from engine.core.policy.durations import NANOS_PER_SECOND, timestamp_to_ns
from engine.core.policy.limits import Limits
from engine.core.run.buffer import NEVER_BUFFERED, order_for_flush, wire_started_event_ids
from engine.core.run.evolve import evolve
from engine.core.run.outgrown import find_reason
from engine.core.run.skip_time import skip_idle_time
from engine.core.run.state import SIGNAL_REQUEST, RunState
from engine.core.run.time_skipping import current_time_ns
from engine.core.run.unwritten_task import convert_speculative

__all__ = ["Context", "EventRow", "Transition"]

# Tails longer than this are cut to what the next sticky poll can ask for.
_TAIL_KEEP_BYTES = 64 * 1024

EventRow = tuple[int, int, int, bytes]
"""(event_id, event_type, event_time_ns, serialized HistoryEvent)."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a handler may use besides its run; `find_namespace` knows the server's namespaces by name."""

    env: Env
    limits: Limits
    namespace: Namespace
    find_namespace: Callable[[str], Namespace | None]


@dataclass(slots=True)
class Transition:
    """Collects one run's change; see the module's rules.

    `event_rows` are the new events in id order. `activities` maps a scheduled_event_id to True (write its row) or
    False (remove it). `new_runs` are transitions of runs that this one starts (continue-as-new, retry, cron).
    `attributes_changed` says that the columns beside the counters are written (memo, search attributes and the like).
    `copied_from` is (run_key, next_event_id) of the run whose first events are this new run's too.
    `touched` says that the run is written; `changed_in_memory` that what is never written has changed (admitted
    updates, a speculative workflow task), and `keeps_speculative` that such a task was scheduled after the rest.
    """

    context: Context
    state: RunState
    now_ns: int = 0
    is_new: bool = False
    event_rows: list[EventRow] = field(default_factory=list)
    activities: dict[int, bool] = field(default_factory=dict)
    buffer_changed: bool = False
    buffer_rewritten: bool = False
    new_request_ids: dict[str, int] = field(default_factory=dict)
    attributes_changed: bool = False
    copied_from: tuple[int, int] | None = None
    effects: list[Effect] = field(default_factory=list)
    new_runs: list[Transition] = field(default_factory=list)
    touched: bool = False
    changed_in_memory: bool = False
    keeps_speculative: bool = False
    _events: list[HistoryEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        # Within a run the time never goes backwards, whatever the system clock does.
        self.now_ns = max(current_time_ns(self.context.env, self.state), self.state.latest_time_ns)

    def add(self, event: HistoryEvent, time_ns: int = 0) -> HistoryEvent:
        """Give `event` its time (now unless told) and id, fold it, and return it.

        A buffered event keeps id 0 until the flush.
        """
        if not self.state.running and self.state.next_event_id > 1:
            raise InvariantViolated(f"event after the close of run {self.state.run_id}")
        event.event_time.seconds, event.event_time.nanos = divmod(time_ns or self.now_ns, NANOS_PER_SECOND)
        self.touched = True
        if event.event_type in NEVER_BUFFERED:
            self._append(event)
        else:
            self.state.buffered.append(event)
            self.buffer_changed = True
        evolve(self.state, event)
        return event

    @property
    def new_events(self) -> Sequence[HistoryEvent]:
        """The events that have their ids, in order, until `close` makes them bytes."""
        return tuple(self._events)

    def add_request_id(self, request_id: str, *, signal: bool = False) -> None:
        """Remember a request id, so that the same request sent again changes nothing."""
        self.touched = True
        event_id = SIGNAL_REQUEST if signal else self.state.next_event_id
        self.state.request_ids[request_id] = self.new_request_ids[request_id] = event_id

    def flush(self) -> None:
        """Give the buffered events their ids and places."""
        if not self.state.buffered:
            return
        buffered = self.state.take_buffered()
        self.buffer_changed = self.buffer_rewritten = True
        if not self.state.running:
            return
        ordered = order_for_flush(buffered)
        for event in ordered:
            self._append(event)
        wire_started_event_ids(ordered)

    def close(self) -> None:
        """Skip time if the run waits for nothing else, flush if no worker holds the workflow task, make the bytes.

        Raises: RunOutgrown; events without an id do not count yet.
        """
        state = self.state
        if self.touched and not self.keeps_speculative:
            convert_speculative(self)
        if state.time_skipping is not None:
            skip_idle_time(self)
        if self.touched:
            state.state_transition_count += 1
            if not self.is_new and state.running and (reason := find_reason(state, self.context.limits)):
                raise RunOutgrown(state.run_key, reason)
        if not state.workflow_task_started:
            self.flush()
        for event in self._events:
            blob = event.SerializeToString()
            time_ns = timestamp_to_ns(event.event_time)
            self.event_rows.append((event.event_id, event.event_type, time_ns, blob))
            state.tail.append(blob)
            state.tail_bytes += len(blob)
            state.history_size_bytes += len(blob)
            state.last_event_time_ns = max(state.last_event_time_ns, time_ns)
        self._events.clear()
        if state.tail_bytes > _TAIL_KEEP_BYTES:
            self._trim_tail()

    def _trim_tail(self) -> None:
        """Keep the bytes of the events after the last started workflow task: a sticky poll asks for no others."""
        state = self.state
        excess = state.previous_started_event_id + 1 - state.tail_first_event_id
        if excess > 0:
            del state.tail[:excess]
            state.tail_bytes = sum(map(len, state.tail))

    def _append(self, event: HistoryEvent) -> None:
        event.event_id = self.state.next_event_id
        self.state.next_event_id += 1
        self._events.append(event)
