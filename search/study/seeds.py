"""Seeds for samplers and training runs, derived from the study's seed."""

from __future__ import annotations

import numpy as np

__all__ = ["confirm_seed", "sampler_seed", "training_seed"]

_SAMPLER, _TRAINING, _CONFIRM = 1, 2, 3


def sampler_seed(study_seed: int, worker: int, trials_stored: int) -> int:
    """Return a sampler's seed, 32 bits.

    It depends on the number of stored trials, because a new sampler with the same seed would repeat
    the first suggestions.
    """
    return _derive(np.uint32, _SAMPLER, study_seed, worker, trials_stored)


def training_seed(study_seed: int, trial: int) -> int:
    """Return the recipe seed of a trial, 63 bits."""
    return _derive(np.uint64, _TRAINING, study_seed, trial) >> 1


def confirm_seed(study_seed: int, ordinal: int, repeat: int) -> int:
    """Return the recipe seed of one repeat of a confirm, 63 bits; the same for all candidates."""
    return _derive(np.uint64, _CONFIRM, study_seed, ordinal, repeat) >> 1


def _derive(kind: type[np.uint32] | type[np.uint64], *words: int) -> int:
    return int(np.random.SeedSequence(words).generate_state(1, kind)[0])
