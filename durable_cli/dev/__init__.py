"""The daily loop: what `dx.toml` declares, run, watched, checked and swapped."""
