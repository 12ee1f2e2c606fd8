"""Federated training: rounds of several organizations, each recorded with its updates and their aggregate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from consentry.errors import InputRejected
from consentry.provenance import Metric
from consentry.training import RunningSession, participant

Arrays = Mapping[str, ArrayLike]


@dataclass(frozen=True, slots=True)
class Update:
    """What one organization computed in a round: dataset version, number of rows, and its weights."""

    msp_id: str
    version_id: str
    rows: int
    weights: Arrays


def federated_rounds(
    session: RunningSession,
    initial: Arrays,
    *,
    rounds: int,
    train: Callable[[Arrays, int], Sequence[Update]],
    evaluate: Callable[[Arrays], Mapping[str, Metric]] = lambda weights: {},
    aggregate: Callable[[Sequence[Update]], Arrays] | None = None,
) -> Iterator[Arrays]:
    """Run rounds and record each; yield the aggregate after every one.

    `train` gets the weights and the round's number (from 1) and returns each organization's update;
    `aggregate` makes one of them (default: `federated_average`); `evaluate` gives the round's metrics.

    Raises:
        InputRejected: ROUNDS_INVALID; UPDATES_DIFFER, updates of different shapes or names.
        LedgerRefused: what `RunningSession.record_round` raises.
    """
    if rounds < 1:
        raise InputRejected("ROUNDS_INVALID", f"rounds: got {rounds}, expected 1 or more")
    weights = initial
    for number in range(1, rounds + 1):
        updates = train(weights, number)
        weights = (aggregate or federated_average)(updates)
        session.record_round(
            [
                participant(update.msp_id, update.version_id, rows=update.rows, update=dict(update.weights))
                for update in updates
            ],
            aggregate=dict(weights),
            metrics=evaluate(weights),
        )
        yield weights


def federated_average(updates: Sequence[Update]) -> dict[str, np.ndarray[Any, Any]]:
    """Return the mean of the updates' weights, weighted by rows (FedAvg, McMahan et al. 2017).

    Raises:
        InputRejected: UPDATES_DIFFER, none, or of different names or shapes.
    """
    arrays = [{name: np.asarray(value) for name, value in update.weights.items()} for update in updates]
    shapes = [{name: array.shape for name, array in item.items()} for item in arrays]
    if not arrays or any(shape != shapes[0] for shape in shapes):
        raise InputRejected("UPDATES_DIFFER", "expected updates of the same names and shapes, at least one")
    total = sum(update.rows for update in updates)
    shares = [update.rows / total for update in updates]
    return {
        name: np.sum([share * item[name] for share, item in zip(shares, arrays, strict=True)], axis=0)
        for name in arrays[0]
    }
