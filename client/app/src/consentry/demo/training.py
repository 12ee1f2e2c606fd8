"""Step 5: federated training under the permits, every round and the model version on record."""

from __future__ import annotations

import pandas as pd

from consentry.demo import federated
from consentry.demo.beside_rows import ARCHITECTURE, session_code, train_beside_rows
from consentry.demo.cast import Cast, msp_id
from consentry.demo.data import RESEARCH
from consentry.demo.federated import Array, Part
from consentry.demo.gates import received
from consentry.demo.story import Story
from consentry.errors import ConfigurationError
from consentry.gate.compute.isolation import Isolation
from consentry.training import RunningSession, participant
from consentry.weights import weights_digest

ROUNDS = 5


def train(story: Story, cast: Cast, isolation: Isolation) -> None:
    """Riverside's researcher trains a model: beside the rows where hospitals can isolate functions, else on
    the rows that their gates let out.
    """
    try:
        isolation.sandbox()
    except ConfigurationError as error:
        story.say(f"{error.message}; so the rows go to the researcher")
        train_on_rows(story, cast)
    else:
        train_beside_rows(story, cast)


def train_on_rows(story: Story, cast: Cast) -> None:
    """Riverside's researcher gets each hospital's rows through its gate, and trains on each in rounds."""
    story.show_code(session_code(train_on_rows))
    ledger = cast.ledger("riverside/researcher")
    versions = [version.version_id for version in cast.versions.values()]
    with ledger.training(model="wdbc-risk", datasets=versions, purpose=RESEARCH) as session:
        frames = received(ledger, _attempts(cast, session), cast, RESEARCH)
        parts, held_out = _prepared(story, cast, frames)
        weights, accuracy = federated.initial_weights(30), 0.0
        for number in range(1, ROUNDS + 1):
            weights = _round(cast, session, weights, parts, held_out)
            accuracy = federated.accuracy(weights, held_out)
            story.say(f"round {number}: accuracy {accuracy:.4f} on held-out rows")
        version = session.register_version(
            weights={"coefficients": weights[:-1], "intercept": weights[-1:]},
            architecture=ARCHITECTURE,
            metrics={"accuracy": f"{accuracy:.4f}"},
            test_set_digest=weights_digest({"features": held_out.features, "target": held_out.target}),
        )
    cast.permits = {permit.custodian: permit for permit in session.permits}
    cast.model_version_id = version.model_version_id
    story.expect(accuracy > 0.9, f"model version registered, accuracy {accuracy:.4f}", accuracy)
    story.record("training rounds, one session, one model version", ROUNDS)


def _attempts(cast: Cast, session: RunningSession) -> dict[str, str]:
    """The session's permitted attempt at each hospital's data: its gate lets rows out under just that."""
    attempts = {permit.custodian: permit.attempt_id for permit in session.permits}
    return {name: attempts[msp_id(name)] for name in cast.versions}


def _prepared(story: Story, cast: Cast, frames: dict[str, pd.DataFrame]) -> tuple[dict[str, Part], Part]:
    """Each hospital's rows to train on, and the rows of all that are held out for testing."""
    for name, frame in frames.items():
        cast.received[name] = len(frame)
        count = cast.versions[name].row_count
        story.say(
            f"{name}: {len(frame)} of {count} rows came through its gate, each proved;"
            " the others' patients do not consent"
        )
    halves = {name: federated.split(frame) for name, frame in frames.items()}
    mean, deviation = federated.moments([training for training, _ in halves.values()])
    parts = {name: federated.standardise(half[0], mean, deviation) for name, half in halves.items()}
    return parts, federated.standardise(pd.concat([half[1] for half in halves.values()]), mean, deviation)


def _round(
    cast: Cast, session: RunningSession, weights: Array, parts: dict[str, Part], held_out: Part
) -> Array:
    updates = {name: federated.local_update(weights, part) for name, part in parts.items()}
    average = federated.average(list(updates.values()), [part.rows for part in parts.values()])
    session.record_round(
        [
            participant(
                msp_id(name),
                cast.versions[name].version_id,
                rows=parts[name].rows,
                update={"weights": update},
            )
            for name, update in updates.items()
        ],
        aggregate={"weights": average},
        metrics={"log_loss": f"{federated.log_loss(average, held_out):.6f}"},
    )
    return average
