"""What a history means, as a model without widgets, without a server and without protos.

Rules:
- It is fed with rows and steps (`steps.py`) that the feed makes of events, oldest first; it never sees an event itself.
- Everything is incremental: an event costs the same at the start and at the end of a long history.
- An event's id is its place: event 1 is the first row.
"""
