"""scikit-learn: an estimator is fitted inside a training session and registered as a model version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from consentry.errors import InputRejected
from consentry.provenance import Metric
from consentry.training import RunningSession
from consentry_records.model import ModelVersion


def fit(
    session: RunningSession,
    estimator: Any,
    features: Any,
    target: Any = None,
    *,
    metrics: Mapping[str, Metric] | None = None,
    parent: str | None = None,
    **options: Any,
) -> ModelVersion:
    """Fit an estimator (`estimator.fit(features, target, **options)`) and register it as a model version.

    The weights are what fitting learnt (`estimator_weights`), the architecture is the class with its
    parameters. `metrics` default to the estimator's own score on what it was fitted with, where it has one.
    An exception of the estimator is left as it is: the session's `with` records it as failed.

    Raises:
        InputRejected: WEIGHTS_INVALID, the estimator learnt nothing that is numbers.
        LedgerRefused: what `RunningSession.register_version` raises.
    """
    data = (features,) if target is None else (features, target)
    fitted = estimator.fit(*data, **options)
    if metrics is None:
        metrics = {"training-score": fitted.score(*data)} if hasattr(fitted, "score") else {}
    return session.register_version(
        weights=estimator_weights(fitted),
        architecture={"class": _class_name(fitted), "parameters": _plain(fitted.get_params(deep=True))},
        metrics=metrics,
        parent=parent,
    )


def estimator_weights(estimator: Any) -> dict[str, np.ndarray[Any, Any]]:
    """Return what an estimator learnt as arrays by name: numeric attributes whose names end in "_", of
    pipelines, ensembles and trees, too.

    Raises:
        InputRejected: WEIGHTS_INVALID, there is nothing.
    """
    found = dict(_learnt(estimator, "", 0))
    if not found:
        raise InputRejected(
            "WEIGHTS_INVALID", f"{_class_name(estimator)} has learnt no numbers; fit it first"
        )
    return found


_DEEPEST = 8


def _learnt(value: Any, name: str, depth: int) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    if depth > _DEEPEST:
        return
    if hasattr(value, "get_params"):
        for attribute, item in sorted(vars(value).items()):
            is_learnt = attribute.endswith("_") and not attribute.startswith("_")
            # A pipeline's steps are fitted in place.
            if is_learnt or attribute == "steps":
                yield from _learnt(item, _joined(name, attribute), depth + 1)
    elif hasattr(value, "__getstate__") and type(value).__name__ == "Tree":
        state = value.__getstate__()
        nodes = state["nodes"]
        for field in nodes.dtype.names:
            yield _joined(name, field), np.ascontiguousarray(nodes[field])
        yield _joined(name, "values"), np.ascontiguousarray(state["values"])
    elif isinstance(value, list | tuple) and not all(np.isscalar(item) for item in value):
        for position, item in enumerate(value):
            yield from _learnt(item, _joined(name, str(position)), depth + 1)
    elif isinstance(value, np.ndarray) and value.dtype == object:
        for position, item in enumerate(value.ravel()):
            yield from _learnt(item, _joined(name, str(position)), depth + 1)
    elif not isinstance(value, str | bytes | bool) and value is not None:
        array = np.asarray(value)
        if array.dtype.kind in "biuf":
            yield name, array


def _joined(name: str, part: str) -> str:
    return f"{name}.{part}" if name else part


def _class_name(estimator: Any) -> str:
    return f"{type(estimator).__module__}.{type(estimator).__qualname__}"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, str | bool | int | float | np.generic):
        return value
    # Nested estimators and functions by their names: what they hold is among the parameters already.
    return _class_name(value) if not callable(value) else getattr(value, "__qualname__", _class_name(value))
