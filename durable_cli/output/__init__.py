"""Everything that `dx` prints: stdout is data, stderr is narration."""
