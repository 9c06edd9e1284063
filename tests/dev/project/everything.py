"""A `dx.toml` with every key that there is."""

from __future__ import annotations

EVERYTHING = """\
namespace = "shop"
[server]
port = 0
ui_port = 0
ip = "::1"
db_filename = "a.db"
sqlite_pragmas = { synchronous = "full", cache_size = -2000, foreign_keys = true }
dynamic_config = { "limit.historyCount.suggestContinueAsNew" = 50 }
log_level = "never"
[namespaces.orders]
retention = "1h30m"
description = "…"
[search_attributes]
CustomerId = "Keyword"
[worker.orders]
task_queue = "q"
namespace = "orders"
workflows = ["a.b"]
activities = ["c"]
python = "venv/bin/python"
data_converter = "a.b:C.d"
interceptors = ["a:b"]
plugins = ["a:b"]
max_cached_workflows = 0
max_concurrent_workflow_tasks = 1
max_concurrent_activities = 1
max_concurrent_local_activities = 1
max_concurrent_workflow_task_polls = 1
max_concurrent_activity_task_polls = 1
max_activities_per_second = 1
max_task_queue_activities_per_second = 0.5
graceful_shutdown_timeout = "0"
watch = [".", "x.py"]
ignore = ["*.log"]
env = { A = "b" }
cwd = "."
on_nondeterminism = "reload"
setup = { command = ["a", "b"], creates = "c" }
[worker.mailer]
command = ["node", "x"]
build = "npx tsc"
replay_command = "x"
[replay]
closed_runs = 0
open_runs = 0
[schedules.s]
cron = ["0 3 * * *", "@daily"]
every = ["10m"]
timezone = "Europe/Berlin"
workflow_type = "W"
task_queue = "q"
workflow_id = "w"
input = [{ a = 1 }, 2026-01-02, 1.5, "x"]
overlap = "TerminateOther"
paused = true
note = "n"
namespace = "orders"
[nexus_endpoints.a]
task_queue = "q"
namespace = "orders"
description = "d"
[nexus_endpoints.b]
url = "https://example.com"
[start.s]
workflow_type = "W"
task_queue = "q"
namespace = "orders"
input = []
cron = "0 9 * * *"
memo = { a = 1 }
search_attributes = { CustomerId = "x" }
"""
