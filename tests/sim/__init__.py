"""A seeded simulation of the engine on a virtual clock: crashes, lost replies, failing commits, and what must hold."""
