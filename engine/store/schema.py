"""The tables, as forward-only migrations: a file is brought to `SCHEMA_VERSION` when it is opened.

`PRAGMA application_id` says that a file is ours, `PRAGMA user_version` which migrations it has had. Never change a
migration that was released; add one.
"""

from __future__ import annotations

__all__ = ["APPLICATION_ID", "MIGRATIONS", "OPEN_CLOSE_TIME_NS", "SCHEMA_VERSION"]

APPLICATION_ID = 0x64786462  # "dxdb"

OPEN_CLOSE_TIME_NS = 2**63 - 1
"""`close_time_ns` of an open run, so that one index gives the order of lists: open runs first."""

_INITIAL = """
CREATE TABLE namespaces (
    namespace_key INTEGER PRIMARY KEY,
    namespace_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    state INTEGER NOT NULL,
    data BLOB NOT NULL,                      -- DescribeNamespaceResponse
    search_attributes TEXT NOT NULL          -- JSON: name -> IndexedValueType
);

CREATE TABLE runs (
    run_key INTEGER PRIMARY KEY,
    namespace_key INTEGER NOT NULL,
    workflow_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    workflow_type TEXT NOT NULL,
    task_queue TEXT NOT NULL,
    status INTEGER NOT NULL,                 -- WorkflowExecutionStatus
    start_time_ns INTEGER NOT NULL,
    execution_time_ns INTEGER NOT NULL,
    close_time_ns INTEGER NOT NULL,          -- 2^63-1 while open
    next_event_id INTEGER NOT NULL,
    history_size_bytes INTEGER NOT NULL,
    start_request_id TEXT NOT NULL,
    memo BLOB,                               -- Memo
    search_attributes BLOB,                  -- SearchAttributes
    auto_reset_points BLOB,                  -- ResetPoints
    worker_version BLOB,                     -- WorkerVersionStamp of the last completed workflow task
    state_transition_count INTEGER NOT NULL,
    next_deadline_ns INTEGER,                -- when to look at the run; NULL: never
    workflow_task_state INTEGER NOT NULL,    -- 0 none, 1 scheduled, 2 started
    workflow_task_attempt INTEGER NOT NULL,
    workflow_task_scheduled_event_id INTEGER NOT NULL,
    workflow_task_scheduled_time_ns INTEGER NOT NULL,
    workflow_task_original_scheduled_time_ns INTEGER NOT NULL,
    workflow_task_started_time_ns INTEGER NOT NULL,
    workflow_task_started BLOB,              -- WorkflowTaskStartedEventAttributes, if there is no such event yet
    sticky_task_queue TEXT NOT NULL,
    sticky_timeout_ns INTEGER NOT NULL
);
CREATE UNIQUE INDEX runs_by_run_id ON runs (run_id);
CREATE INDEX runs_by_workflow_id ON runs (namespace_key, workflow_id);
CREATE INDEX runs_by_close_time ON runs (namespace_key, close_time_ns DESC, start_time_ns DESC);
CREATE INDEX runs_by_deadline ON runs (next_deadline_ns) WHERE next_deadline_ns IS NOT NULL;
CREATE INDEX runs_to_dispatch ON runs (run_key) WHERE workflow_task_state = 1;

CREATE TABLE events (
    run_key INTEGER NOT NULL,
    event_id INTEGER NOT NULL,
    event_type INTEGER NOT NULL,             -- EventType
    event_time_ns INTEGER NOT NULL,
    data BLOB NOT NULL,                      -- HistoryEvent
    PRIMARY KEY (run_key, event_id)
) WITHOUT ROWID;

CREATE TABLE activities (                    -- pending activities: what history does not say of them
    run_key INTEGER NOT NULL,
    scheduled_event_id INTEGER NOT NULL,
    state INTEGER NOT NULL,                  -- 1 scheduled, 2 started, 3 between attempts, 4 its run has closed
    task_queue TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    attempt_scheduled_time_ns INTEGER NOT NULL,
    started_time_ns INTEGER NOT NULL,
    last_started_time_ns INTEGER NOT NULL,
    last_attempt_complete_time_ns INTEGER NOT NULL,
    last_heartbeat_time_ns INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    identity TEXT NOT NULL,
    heartbeat_details BLOB,                  -- Payloads
    last_failure BLOB,                       -- Failure
    PRIMARY KEY (run_key, scheduled_event_id)
) WITHOUT ROWID;
CREATE INDEX activities_to_dispatch ON activities (run_key, scheduled_event_id) WHERE state = 1;

CREATE TABLE buffered_events (               -- events that wait for the end of a started workflow task
    run_key INTEGER NOT NULL,
    position INTEGER NOT NULL,
    data BLOB NOT NULL,                      -- HistoryEvent without its id
    PRIMARY KEY (run_key, position)
) WITHOUT ROWID;

CREATE TABLE request_ids (                   -- requests that were carried out, to answer them again the same way
    run_key INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    event_id INTEGER NOT NULL,
    PRIMARY KEY (run_key, request_id)
) WITHOUT ROWID;
"""

_PRIORITIES = """
ALTER TABLE runs ADD COLUMN priority BLOB;          -- Priority of its workflow tasks
ALTER TABLE activities ADD COLUMN priority BLOB;    -- Priority, the run's merged in
"""

_RESETS = """
ALTER TABLE runs ADD COLUMN reset_run_id TEXT NOT NULL DEFAULT '';  -- the run that the last reset of this one made
"""

_CHILDREN = """
ALTER TABLE runs ADD COLUMN closed_over_children INTEGER NOT NULL DEFAULT 0;  -- 1: children were pending
"""

_CLOCK = """
CREATE TABLE clock (                         -- at most one row: how the server's time differs from the system's
    id INTEGER PRIMARY KEY CHECK (id = 1),
    offset_ns INTEGER NOT NULL,
    stands_at_ns INTEGER                     -- NULL while it runs
);
"""

_TIME_SKIPPING = """
ALTER TABLE runs ADD COLUMN closed_with_time_skipping INTEGER NOT NULL DEFAULT 0;  -- 1: it had a time of its own
"""

_LIST_FILTERS = """
ALTER TABLE runs ADD COLUMN attribute_values TEXT;     -- JSON: what filters compare search attributes with
ALTER TABLE runs ADD COLUMN namespace_division TEXT;   -- TemporalNamespaceDivision
ALTER TABLE runs ADD COLUMN parent_workflow_id TEXT;
ALTER TABLE runs ADD COLUMN parent_run_id TEXT;
ALTER TABLE runs ADD COLUMN root_workflow_id TEXT;     -- NULL: the run itself
ALTER TABLE runs ADD COLUMN root_run_id TEXT;
UPDATE runs SET
    attribute_values = comparable_values(search_attributes, (
        SELECT n.search_attributes FROM namespaces n WHERE n.namespace_key = runs.namespace_key)),
    namespace_division = namespace_division(search_attributes)
WHERE search_attributes IS NOT NULL;
UPDATE runs SET
    parent_workflow_id = first_event_says(e.data, 'parent_workflow_id'),
    parent_run_id = first_event_says(e.data, 'parent_run_id'),
    root_workflow_id = first_event_says(e.data, 'root_workflow_id'),
    root_run_id = first_event_says(e.data, 'root_run_id')
FROM events e WHERE e.run_key = runs.run_key AND e.event_id = 1;
DROP INDEX runs_by_close_time;
CREATE INDEX runs_in_list_order ON runs (
    namespace_key, close_time_ns DESC, start_time_ns DESC, run_key DESC, namespace_division, status, workflow_type);
"""
"""See migration_functions.py for the functions in it."""

MIGRATIONS: tuple[str, ...] = (_INITIAL, _PRIORITIES, _RESETS, _CHILDREN, _CLOCK, _TIME_SKIPPING, _LIST_FILTERS)
SCHEMA_VERSION = len(MIGRATIONS)
