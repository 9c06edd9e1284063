"""The shell around the core: one synchronous step that applies and commits, and what happens after the commit."""
