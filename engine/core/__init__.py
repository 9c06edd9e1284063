"""The pure core: messages and plain data in, events and effects out; no clock, no I/O."""
