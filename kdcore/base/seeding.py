"""One seed, one result: generators for NumPy and torch, and the global ones together."""

from __future__ import annotations

import random

import numpy as np
import torch


def seed_everything(seed: int) -> None:
    """Seed Python's, NumPy's and torch's global generators (dropout and weight initialisation)."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def numpy_generator(*seed: int) -> np.random.Generator:
    """Return a NumPy generator for a sequence of non-negative integers."""
    return np.random.default_rng(list(seed))


def torch_generator(*seed: int) -> torch.Generator:
    """Return a CPU torch generator for a sequence of non-negative integers."""
    state = np.random.SeedSequence(list(seed)).generate_state(1, dtype=np.uint64)[0]
    return torch.Generator().manual_seed(int(state) % 2**63)
