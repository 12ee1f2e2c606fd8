"""Federated averaging of a logistic regression (McMahan et al., 2017) over each hospital's own rows.

What is averaged is coefficients, weighted by rows. The file stands alone: where a hospital can isolate
functions, it is itself the function that comes to the rows (`train`), and numbers alone leave.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Array = npt.NDArray[np.float64]
_LEARNING_RATE = 0.5
LOCAL_STEPS = 25
_RIDGE = 1e-3


@dataclass(frozen=True)
class Part:
    """One hospital's rows as arrays, standardised with the common moments."""

    features: Array
    target: Array

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self.features.shape[0])


def split(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every fifth row is held out for testing; the rest trains."""
    held_out = np.arange(len(frame)) % 5 == 0
    return frame[~held_out], frame[held_out]


def moments(frames: Sequence[pd.DataFrame]) -> tuple[Array, Array]:
    """Common mean and standard deviation, from each hospital's count, sum and sum of squares."""
    return moments_of([sums(frame) for frame in frames], sum(map(len, frames)))


def sums(frame: pd.DataFrame) -> dict[str, Array]:
    """One hospital's sums and sums of squares, a number a measurement."""
    features = _features(frame)
    return {"sum": features.sum(axis=0), "squares": (features**2).sum(axis=0)}


def moments_of(parts: Sequence[dict[str, Array]], count: int) -> tuple[Array, Array]:
    """Common mean and standard deviation of so many rows from each hospital's `sums`."""
    mean = np.sum([part["sum"] for part in parts], axis=0) / count
    squares = np.sum([part["squares"] for part in parts], axis=0) / count
    return mean, np.sqrt(np.maximum(squares - mean**2, 1e-12))


def standardise(frame: pd.DataFrame, mean: Array, deviation: Array) -> Part:
    """One hospital's rows, ready to train or to test."""
    return Part((_features(frame) - mean) / deviation, frame["target"].to_numpy(dtype=np.float64))


def initial_weights(columns: int) -> Array:
    """All zero: one coefficient a measurement, the intercept last."""
    return np.zeros(columns + 1)


def local_update(weights: Array, part: Part, steps: int = LOCAL_STEPS) -> Array:
    """Some steps of gradient descent at one hospital, from the common weights."""
    updated = weights.copy()
    for _ in range(steps):
        error = _probability(updated, part.features) - part.target
        gradient = np.append(part.features.T @ error, error.sum()) / part.rows
        gradient[:-1] += _RIDGE * updated[:-1]
        updated -= _LEARNING_RATE * gradient
    return updated


def train(frame: pd.DataFrame, parameters: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What one hospital computes on its own rows: sums, or an update of the common weights.

    The weights that come are tried on the rows held out first; their accuracy and loss are the metrics.
    """
    training, held_out = split(frame)
    metrics: dict[str, float] = {"rows": len(training), "held_out": len(held_out)}
    if "weights" not in parameters:
        return {"update": sums(training), "metrics": metrics}
    weights, mean, deviation = (np.array(parameters[name]) for name in ("weights", "mean", "deviation"))
    tested = standardise(held_out, mean, deviation)
    metrics |= {"accuracy": accuracy(weights, tested), "log_loss": log_loss(weights, tested)}
    update = local_update(weights, standardise(training, mean, deviation), int(parameters["steps"]))
    return {"update": {"weights": update}, "metrics": metrics}


def average(updates: Sequence[Array], rows: Sequence[int]) -> Array:
    """The updates' mean, weighted by rows."""
    return np.average(np.stack(updates), axis=0, weights=np.asarray(rows, dtype=np.float64))


def accuracy(weights: Array, part: Part) -> float:
    """Share of rows that are classified as their target says."""
    return float(np.mean((_probability(weights, part.features) >= 0.5) == (part.target >= 0.5)))


def log_loss(weights: Array, part: Part) -> float:
    """Mean negative log-likelihood."""
    probability = np.clip(_probability(weights, part.features), 1e-9, 1 - 1e-9)
    return float(-np.mean(part.target * np.log(probability) + (1 - part.target) * np.log(1 - probability)))


def _features(frame: pd.DataFrame) -> Array:
    return frame.drop(columns=["target"]).to_numpy(dtype=np.float64)


def _probability(weights: Array, features: Array) -> Array:
    score = np.clip(features @ weights[:-1] + weights[-1], -35.0, 35.0)
    result: Array = 1.0 / (1.0 + np.exp(-score))
    return result
