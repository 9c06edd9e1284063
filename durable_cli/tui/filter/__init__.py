"""The list filter in the filter bar: completed, and its refusals put in words. Pure."""
