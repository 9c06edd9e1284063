"""The daily loop: workers that are replaced on every save, once running workflows are known to survive it."""
