"""Models and their versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import ArrayLike

from consentry.errors import LedgerRefused
from consentry.identifiers import new_identifier
from consentry.provenance import Metric, description_digest, metric_texts
from consentry.transactions import Transactions, checked
from consentry.weights import weights_digest
from consentry_records.model import ModelVersion, NewModel, NewModelVersion
from consentry_records.model_signature import ManifestSignature
from consentry_records.model_stage import DEVELOPMENT, ModelStage, StageChange

Weights = str | Mapping[str, ArrayLike]
Architecture = str | Mapping[str, Any]


class Models:
    """The models of the caller's organization, and a look at those of all."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def register(self, name: str) -> NewModel:
        """Register a new model and return it with its id; names are unique for one organization.

        Raises:
            InputRejected: a malformed name.
            LedgerRefused: MODEL_NAME_TAKEN (its field `model_id` has the model's id), ROLE_REQUIRED, …
        """
        model = checked(lambda: NewModel(model_id=new_identifier("model"), name=name))
        self._transactions.submit("models:register", model)
        return model

    def ensure(self, name_or_id: str) -> str:
        """Return the id of the own model of that name, registering it when it is new; ids pass through.

        Raises:
            InputRejected, LedgerRefused: as `register`.
        """
        if name_or_id.startswith("model-") and len(name_or_id) == len("model-") + 32:
            return name_or_id
        try:
            return self.register(name_or_id).model_id
        except LedgerRefused as error:
            if error.code != "MODEL_NAME_TAKEN":
                raise
            return str(error.fields["model_id"])

    def register_version(
        self,
        model_id: str,
        *,
        weights: Weights,
        architecture: Architecture,
        sessions: Sequence[str],
        metrics: Mapping[str, Metric],
        parent: str | None = None,
        test_set_digest: str | None = None,
        signature: ManifestSignature | None = None,
    ) -> ModelVersion:
        """Register a version of one's own model.

        `weights` are arrays by name (see `weights_digest`) or their digest, `architecture` a description
        (see `provenance.description_digest`) or its digest, `sessions` the training sessions that made it,
        `parent` the version that it was trained on from, `signature` that of the model's files
        (`model_signing.manifest_signature`), which the contract verifies.

        Raises:
            InputRejected: malformed input; nothing was sent.
            LedgerRefused: MODEL_NOT_FOUND, SESSION_NOT_USABLE, MODEL_PARENT_DIFFERS, NOT_OWNER, …
        """
        texts = metric_texts(metrics)
        version = checked(
            lambda: NewModelVersion(
                model_version_id=new_identifier("modelversion"),
                model_id=model_id,
                weights_digest=weights if isinstance(weights, str) else weights_digest(weights),
                architecture_digest=(
                    architecture if isinstance(architecture, str) else description_digest(architecture)
                ),
                parent=parent,
                sessions=tuple(sessions),
                metrics=texts,
                test_set_digest=test_set_digest,
                signature=signature,
            )
        )
        self._transactions.submit("models:register_version", version)
        return self.get(version.model_version_id)

    def change_stage(
        self, model_version_id: str, stage: str, *, reasons: Sequence[str], evidence_digest: str | None = None
    ) -> ModelStage:
        """Bring a version of one's own model into another stage (`model_stage.TRANSITIONS`), and say why.

        Bringing a replaced version back into production is a rollback. As a steward or data protection
        officer.

        Raises:
            InputRejected: malformed input; nothing was sent.
            LedgerRefused: STAGE_NOT_REACHABLE, STAGE_DECIDER_IS_AUTHOR, PUBLICATION_MORATORIUM, NOT_OWNER, …
        """
        step = checked(
            lambda: StageChange(
                model_version_id=model_version_id,
                stage=stage,
                reasons=tuple(reasons),
                evidence_digest=evidence_digest,
            )
        )
        self._transactions.submit("models:change_stage", step)
        return ModelStage.from_dict(self._transactions.evaluate("models:get_stage", model_version_id))

    def stage(self, model_version_id: str) -> str:
        """Return a version's stage; a new one is in development."""
        answer = self._transactions.evaluate("models:get_stage", model_version_id)
        return DEVELOPMENT if answer is None else ModelStage.from_dict(answer).stage

    def versions(self, model_id: str) -> tuple[ModelVersion, ...]:
        """Return a model's versions, at most 1000.

        Raises:
            LedgerRefused: MODEL_NOT_FOUND.
        """
        found = self._transactions.evaluate("models:versions", model_id)
        return tuple(ModelVersion.from_dict(version) for version in found)

    def get(self, model_version_id: str) -> ModelVersion:
        """Return a model version.

        Raises:
            LedgerRefused: MODEL_VERSION_NOT_FOUND.
        """
        return ModelVersion.from_dict(self._transactions.evaluate("models:get", model_version_id))
