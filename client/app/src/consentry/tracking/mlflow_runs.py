"""MLflow: a finished run is mirrored to the ledger, and the run is told where.

Needs the extra `consentry[mlflow]` (mlflow-skinny). The run's name and tags are not mirrored: they can hold
names of people.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from consentry.errors import InputRejected
from consentry.models import Weights
from consentry.provenance import description_digest
from consentry.training import RunningSession
from consentry_records.digest import sha256_digest
from consentry_records.model import ModelVersion

_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class MirroredRun:
    """An MLflow run on the ledger: its id, the model version, and the digests of its datasets."""

    run_id: str
    version: ModelVersion
    dataset_digests: tuple[str, ...]


def mirror_run(session: RunningSession, run_id: str, *, weights: Weights, client: Any = None) -> MirroredRun:
    """Register a run's model as a version of the session's model; return it.

    On the ledger the architecture digest is that of {"mlflow-run", "parameters", "datasets"}: the run's id,
    its parameters, and the digests of the datasets that it logged (`mlflow.log_input`); the metrics are the
    run's last ones. The run gets the tags `consentry.session` and `consentry.model_version`.

    `weights` are the model's arrays by name, or their digest; `client` is an `mlflow.MlflowClient` (default:
    one for the tracking server in use).

    Raises:
        InputRejected: MLFLOW_MISSING, MLFLOW_RUN_INVALID, or a metric that is no finite number.
        LedgerRefused: what `RunningSession.register_version` raises.
    """
    client = client or _client()
    try:
        run = client.get_run(run_id)
    except Exception as error:
        raise InputRejected(
            "MLFLOW_RUN_INVALID", f"run {run_id!r} cannot be read ({type(error).__name__})"
        ) from error
    datasets = _dataset_digests(run)
    description = {"mlflow-run": run_id, "parameters": dict(run.data.params), "datasets": list(datasets)}
    version = session.register_version(
        weights=weights,
        architecture=description_digest(description),
        metrics={_metric_name(name): value for name, value in run.data.metrics.items()},
    )
    client.set_tag(run_id, "consentry.session", session.session_id)
    client.set_tag(run_id, "consentry.model_version", version.model_version_id)
    return MirroredRun(run_id, version, datasets)


def _client() -> Any:
    try:
        from mlflow import MlflowClient
    except ImportError as error:
        raise InputRejected(
            "MLFLOW_MISSING", "MLflow is not installed: pip install 'consentry[mlflow]'"
        ) from error
    make: Callable[[], Any] = MlflowClient
    return make()


def _dataset_digests(run: Any) -> tuple[str, ...]:
    """MLflow's own digests are short: each is hashed with the dataset's schema to one of ours."""
    inputs = run.inputs.dataset_inputs if run.inputs is not None else []
    found = [f"{item.dataset.digest}\n{item.dataset.schema or ''}" for item in inputs]
    return tuple(sorted(sha256_digest(text.encode()) for text in found))


def _metric_name(name: str) -> str:
    kept = [letter if letter.isascii() and letter.isalnum() else "-" for letter in name.lower()]
    return "".join(kept).strip("-")[:_LONGEST_NAME] or "metric"
