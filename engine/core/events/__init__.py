"""Builders of history events, one function per EventType, no branching; ids and times are given by `Transition.add`."""
