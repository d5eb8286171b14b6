"""Names for the array types, and one independent stream of random numbers per purpose."""

import zlib
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
AnyArray = npt.NDArray[Any]

EPOCH = date(1970, 1, 1)


def stream(seed: int, purpose: str, *indices: int) -> np.random.Generator:
    """The random numbers of one purpose; no other purpose's draws can shift them."""
    key = (zlib.crc32(purpose.encode()), *indices)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def pick(rng: np.random.Generator, weights: Floats | list[float], size: int) -> Ints:
    """Indices drawn with the given relative weights."""
    cumulative = np.cumsum(np.asarray(weights, dtype=np.float64))
    draws = rng.random(size) * cumulative[-1]
    return np.asarray(np.searchsorted(cumulative, draws, side="right"), dtype=np.int64)


def shares(rng: np.random.Generator, weights: list[float], size: int) -> Ints:
    """Indices whose counts meet the weights exactly (to rounding), in random order."""
    bounds = np.round(np.cumsum(weights) / np.sum(weights) * size)
    ordered = np.searchsorted(bounds, np.arange(size), side="right")
    return np.asarray(rng.permutation(ordered), dtype=np.int64)


def log_normal(rng: np.random.Generator, mean: Floats | float, sigma: Floats | float, size: int) -> Floats:
    """Log-normal amounts with the given mean (not the mean of the logarithm), the tail capped at 2.3 sigma."""
    sigmas = np.asarray(sigma, dtype=np.float64)
    return np.asarray(mean) * np.exp(sigmas * np.minimum(rng.standard_normal(size), 2.3) - sigmas**2 / 2)
