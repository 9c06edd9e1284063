"""Two hundred seeds in CI, more by `make sim` or `python -m tests.sim`; and that a seed is always the same world."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sim.simulation import simulate

SEEDS = int(os.environ.get("DX_SIM_SEEDS", "200"))
_CHUNK = 10
_SOME_DIGESTS = """
from tests.sim.simulation import simulate
for seed in (1, 6, 21):
    print(simulate(seed).digest)
"""


@pytest.mark.parametrize("first", range(0, SEEDS, _CHUNK))
def test_nothing_acknowledged_is_lost_and_every_run_ends(first: int) -> None:
    """A failing seed is replayed by: python -m tests.sim --verbose --seeds 1 --first SEED."""
    for seed in range(first, min(first + _CHUNK, SEEDS)):
        try:
            simulate(seed)
        except Exception as error:
            error.add_note(f"replay: python -m tests.sim --verbose --seeds 1 --first {seed}")
            raise


def test_a_seed_is_the_same_world_in_every_process() -> None:
    """The order of hashes must not decide anything."""
    digests = {_digests_of_a_process(hash_seed) for hash_seed in ("0", "1", "random")}
    assert len(digests) == 1
    (digest,) = digests
    assert len(set(digest.split())) == 3


def _digests_of_a_process(hash_seed: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-c", _SOME_DIGESTS],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    return finished.stdout
