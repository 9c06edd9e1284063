"""The only part of the browser that talks to a server: it asks again and again, and posts what has changed.

Rules:
- Nothing heavy is imported before the link connects: the first paint comes first. So what needs protos is imported
  inside functions, or in modules that only such functions import (`from_protos`, `events`, `event_json`).
- A watch is a coroutine that runs until it is cancelled. It never raises: what goes wrong is a message.
- A screen gets rows (`durable_cli.tui.rows`), not protos.
"""
