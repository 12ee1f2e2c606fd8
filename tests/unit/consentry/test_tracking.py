"""Training hooks: scikit-learn, PyTorch, MLflow and federated rounds, with the real contracts."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from support.training_sessions import (
    NORTHGATE,
    RIVERSIDE,
    permitted_attempt,
    registered_version,
    running_session,
)

from consentry.errors import InputRejected
from consentry.tracking import estimator_weights, federated_rounds, fit, mirror_run, torch_weights
from consentry.tracking.federated import Update, federated_average
from consentry.weights import weights_digest

FEATURES = np.array([[0.0, 1.0], [1.0, 0.5], [2.0, 0.1], [3.0, 0.9]])
TARGET = np.array([0, 0, 1, 1])


@pytest.fixture
def version(ledger_of):
    return registered_version(ledger_of)


@pytest.fixture
def session(ledger_of, version):
    researcher = ledger_of(RIVERSIDE, "researcher")
    return running_session(researcher, permitted_attempt(ledger_of, version, researcher))


def test_an_estimator_is_fitted_and_registered(session):
    estimator = make_pipeline(StandardScaler(), LogisticRegression(C=0.5))
    made = fit(session, estimator, FEATURES, TARGET)
    assert made.sessions == (session.session_id,)
    assert made.metrics == {"training-score": "1"}
    assert made.weights_digest == weights_digest(estimator_weights(estimator))
    session.finish("completed")


def test_the_same_training_gives_the_same_weights():
    def forest():
        return RandomForestClassifier(n_estimators=3, random_state=7).fit(FEATURES, TARGET)

    first, second = (weights_digest(estimator_weights(forest())) for _ in range(2))
    assert first == second
    other = RandomForestClassifier(n_estimators=3, random_state=8).fit(FEATURES, TARGET)
    assert weights_digest(estimator_weights(other)) != first


def test_an_estimator_that_learnt_nothing_is_refused():
    with pytest.raises(InputRejected) as caught:
        estimator_weights(LogisticRegression())
    assert caught.value.code == "WEIGHTS_INVALID"


def test_a_run_is_mirrored(session, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow = pytest.importorskip("mlflow", reason="the extra consentry[mlflow] is not installed")
        mlflow.set_tracking_uri(f"file:{tmp_path / 'runs'}")
        with mlflow.start_run(run_name="of Dr. Who") as run:
            mlflow.log_param("depth", 3)
            mlflow.log_metric("Val AUC", 0.91)
        mirrored = mirror_run(session, run.info.run_id, weights={"w": [1.0, 2.0]})
        tags = mlflow.get_run(run.info.run_id).data.tags
        with pytest.raises(InputRejected) as caught:
            mirror_run(session, "no-such-run", weights={"w": [1.0]})
    assert mirrored.version.metrics == {"val-auc": "0.91"}
    assert tags["consentry.session"] == session.session_id
    assert tags["consentry.model_version"] == mirrored.version.model_version_id
    assert b"Who" not in mirrored.version.to_bytes()
    assert caught.value.code == "MLFLOW_RUN_INVALID"


class Tensor:
    """What `torch_weights` asks of a tensor."""

    def __init__(self, values, dtype="torch.float32"):
        self.values, self.dtype = values, dtype

    def detach(self):
        return self

    def cpu(self):
        return self

    def float(self):
        return Tensor(self.values)

    def numpy(self):
        assert self.dtype == "torch.float32"
        return np.array(self.values, dtype="f4")


class Module:
    def __init__(self, state):
        self.state = state

    def state_dict(self):
        return self.state


def test_a_modules_parameters_are_arrays():
    module = Module({"linear.weight": Tensor([[1.0, 2.0]]), "bias": Tensor([0.5], "torch.bfloat16")})
    assert weights_digest(torch_weights(module)) == weights_digest(
        {"linear.weight": np.array([[1.0, 2.0]], dtype="f4"), "bias": np.array([0.5], dtype="f4")}
    )
    with pytest.raises(InputRejected):
        torch_weights(Module({}))


@pytest.mark.optional_tool("torch")
def test_pytorchs_own_modules_are_arrays():
    import torch

    torch.manual_seed(1)
    module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2)).to(torch.bfloat16)
    weights = torch_weights(module)
    assert set(weights) == set(module.state_dict())
    assert (weights["0.weight"].dtype, weights["1.num_batches_tracked"].dtype) == ("float32", "int64")
    held = {name: tensor.to(torch.float32) for name, tensor in module.state_dict().items() if "0." in name}
    for name, tensor in held.items():
        assert weights[name].tolist() == tensor.tolist()
    assert weights_digest(torch_weights(module)) == weights_digest(weights)


def test_federated_rounds_are_recorded(session, version):
    def train(weights, number):
        step = {"w": np.asarray(weights["w"]) + number}
        return [Update(NORTHGATE, version.version_id, 2, step)]

    seen = list(
        federated_rounds(
            session, {"w": [0.0, 0.0]}, rounds=3, train=train, evaluate=lambda w: {"loss": float(w["w"][0])}
        )
    )
    assert [list(weights["w"]) for weights in seen] == [[1.0, 1.0], [3.0, 3.0], [6.0, 6.0]]
    session.finish("completed")


def test_an_average_is_weighted_by_rows():
    average = federated_average([Update("A", "v", 1, {"w": [0.0]}), Update("B", "v", 3, {"w": [4.0]})])
    assert list(average["w"]) == [3.0]
    for updates in ([], [Update("A", "v", 1, {"w": [0.0]}), Update("B", "v", 1, {"w": [0.0, 1.0]})]):
        with pytest.raises(InputRejected) as caught:
            federated_average(updates)
        assert caught.value.code == "UPDATES_DIFFER"
    assert pd.notna(average["w"][0])
