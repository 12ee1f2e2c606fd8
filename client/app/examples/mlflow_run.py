"""Mirror an MLflow run to the ledger: its id, parameters, metrics and the digests of its datasets.

    CONSENTRY_NETWORK=… CONSENTRY_AS=riverside/researcher python mlflow_run.py VERSION rows.csv

Needs `pip install 'consentry[mlflow]'`. MLFLOW_TRACKING_URI says where MLflow keeps its runs.
"""

import sys

import mlflow
import pandas as pd
from mlflow.data.pandas_dataset import from_pandas
from sklearn.linear_model import LogisticRegression

from consentry import connect
from consentry.tracking import estimator_weights, mirror_run

version_id, path = sys.argv[1:]
rows = pd.read_csv(path)
features, target = rows[["radius", "texture"]], rows["benign"]

with (
    connect() as ledger,
    ledger.training(
        model="risk-of-malignancy-mlflow", datasets=[version_id], purpose="DUO:0000006"
    ) as session,
):
    session.note_use(version_id, len(rows))
    with mlflow.start_run() as run:
        mlflow.log_input(from_pandas(features, name=version_id), context="training")
        mlflow.log_param("C", 0.5)
        estimator = LogisticRegression(C=0.5).fit(features, target)
        mlflow.log_metric("accuracy", estimator.score(features, target))
    mirrored = mirror_run(session, run.info.run_id, weights=estimator_weights(estimator))
print(mirrored.version.model_version_id)
