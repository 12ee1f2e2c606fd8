"""Training hooks: what trains already is recorded on the ledger with one line more.

`fit` wraps a scikit-learn estimator's training; `torch_weights` reads a PyTorch module; `mirror_run`
mirrors an MLflow run; `federated_rounds` records rounds of several organizations. All take the session that
`Ledger.training` gives, which is recorded as failed when an exception leaves it.
"""

from consentry.tracking.federated import federated_rounds
from consentry.tracking.mlflow_runs import mirror_run
from consentry.tracking.sklearn_estimators import estimator_weights, fit
from consentry.tracking.torch_modules import torch_weights

__all__ = ["estimator_weights", "federated_rounds", "fit", "mirror_run", "torch_weights"]
