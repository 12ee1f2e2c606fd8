"""Reports that carry the proofs of their blocks: checked without any network, every part of them."""

from __future__ import annotations

import base64
import copy
import json
import lzma
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jsonschema
import pytest
from support.chains import CHAINCODE
from support.epochs import closer, index
from support.proof_files import statement
from support.story import NORTHGATE, Story, attempt, identifier, tell

from consentry.errors import LedgerUnreachable
from consentry.index import Trail, open_database
from consentry.proofs import BlockBundle, ProofRefused, make_bundle
from consentry.proofs.checking.block import Statement
from consentry.reports import dataset_access_report
from consentry.reports import json as report_json
from consentry.reports.bundle_witness import BundleWitness
from consentry.reports.evidence_making import completed
from consentry.reports.verifying import ReportRefused, ReportVerdict, verify_report
from consentry_records import keys


@dataclass(frozen=True)
class Proved:
    """A report on a dataset, and the chain that it was made from."""

    story: Story
    document: dict[str, Any]
    closed: int

    def bundle(self, organizations: int = 10) -> bytes:
        chain = self.story.chain
        stating = sorted(chain.organizations)[:organizations]

        def ask(msp_id: str, block: int) -> Statement:
            if msp_id not in stating:
                raise LedgerUnreachable("STATEMENT_MISSING", "not asked in the test")
            return statement(chain, chain.organizations[msp_id].peer, chain.blocks[block])

        numbers = [int(number) for number in self.document["evidence"]["blocks"]]
        made = make_bundle(
            chain.blocks.__getitem__, ask, chain.organizations, blocks=numbers, namespace=CHAINCODE
        )
        return made.data

    def carrying(self, bundle: bytes) -> dict[str, Any]:
        found = copy.deepcopy(self.document)
        found["evidence"]["proofs"] = base64.b64encode(bundle).decode()
        return found

    def verify(self, document: dict[str, Any], anchor: str | None = "") -> ReportVerdict:
        pinned = self.story.chain.anchor if anchor == "" else anchor
        return verify_report(json.dumps(document).encode(), BundleWitness(pinned))


@pytest.fixture(scope="module")
def proved() -> Iterator[Proved]:
    story, engine = tell(), open_database("sqlite://")
    epoch = closer(story, engine).close()
    assert epoch is not None
    story.put({keys.attempt(identifier("attempt", 9)): attempt(9)}, by=story.researcher)
    index(story, engine)
    trail = Trail(engine)
    made = dataset_access_report(trail, "biopsies", generated_at="2026-02-01T00:00:00.000Z")
    document = json.loads(report_json.render(completed(trail, made, with_evidence=True)))
    yield Proved(story, document, epoch.last_block)
    engine.dispose()


@pytest.fixture(scope="module")
def bundle(proved: Proved) -> bytes:
    return proved.bundle()


def test_a_report_is_proved_with_nothing_but_the_anchor(proved: Proved, bundle: bytes) -> None:
    document = proved.carrying(bundle)
    jsonschema.validate(document, report_json.schema())
    verdict = proved.verify(document)
    assert verdict.is_proved
    assert verdict.complete_through == {NORTHGATE: proved.closed}
    assert verdict.sentence.endswith("the writes are those of blocks proved from the anchor.")


def test_without_anchor_or_enough_statements_it_is_not(proved: Proved, bundle: bytes) -> None:
    assert not proved.verify(proved.carrying(bundle), None).is_proved
    assert not proved.verify(proved.carrying(proved.bundle(1))).is_proved
    unstated = proved.verify(proved.carrying(proved.bundle(0)))
    assert not unstated.is_proved
    assert "proved in part only" in unstated.sentence


def refused(proved: Proved, document: dict[str, Any], anchor: str | None = "") -> str:
    with pytest.raises(ReportRefused) as caught:
        proved.verify(document, anchor)
    return caught.value.code


def test_each_block_is_held_once_and_none_can_be_left_out(proved: Proved, bundle: bytes) -> None:
    content = json.loads(lzma.decompress(bundle))
    assert len(content["blocks"]) == len(proved.document["evidence"]["blocks"])
    for place in range(len(content["blocks"])):
        less = copy.deepcopy(content)
        del less["blocks"][place]
        assert refused(proved, proved.carrying(spelt(less))) == "WRITES_DIFFER"


def spelt(content: Any) -> bytes:
    return lzma.compress(json.dumps(content, sort_keys=True, separators=(",", ":")).encode())


def swap_two(content: dict[str, Any]) -> None:
    content["blocks"][0], content["blocks"][1] = content["blocks"][1], content["blocks"][0]


def double(content: dict[str, Any]) -> None:
    content["blocks"].append(content["blocks"][-1])


def other_namespace(content: dict[str, Any]) -> None:
    content["namespace"] = "other"


def no_configuration(content: dict[str, Any]) -> None:
    content["configurations"] = []


def cut_signatures(content: dict[str, Any]) -> None:
    content["blocks"][0]["signatures"] = ""


def other_statement(content: dict[str, Any]) -> None:
    first, second = content["blocks"][0]["statements"], content["blocks"][1]["statements"]
    first[0]["signature"] = second[0]["signature"]


def other_data(content: dict[str, Any]) -> None:
    content["blocks"][0]["data"] = content["blocks"][1]["data"]


def other_format(content: dict[str, Any]) -> None:
    content["format"] = "consentry-proof/1"


@pytest.mark.parametrize(
    "change",
    [
        swap_two,
        double,
        other_namespace,
        no_configuration,
        cut_signatures,
        other_statement,
        other_data,
        other_format,
    ],
)
def test_altered_proofs_are_refused(
    proved: Proved, bundle: bytes, change: Callable[[dict[str, Any]], None]
) -> None:
    content = json.loads(lzma.decompress(bundle))
    change(content)
    assert refused(proved, proved.carrying(spelt(content))) == "WRITES_DIFFER"


def test_proofs_of_another_channel_or_none_are_refused(proved: Proved, bundle: bytes) -> None:
    other = tell()
    assert refused(proved, proved.carrying(bundle), other.chain.anchor) == "WRITES_DIFFER"
    for data in (b"", bundle[:-1], bundle + b"x", lzma.compress(b"[]")):
        assert refused(proved, proved.carrying(data)) == "WRITES_DIFFER"
    with pytest.raises(ProofRefused):
        BlockBundle(b"")


def test_every_write_has_to_be_in_its_block(proved: Proved, bundle: bytes) -> None:
    for place, write in enumerate(proved.document["evidence"]["writes"]):
        for name, value in (("value", write["value"] + " "), ("position", write["position"] + 1)):
            document = proved.carrying(bundle)
            document["evidence"]["writes"][place][name] = value
            assert refused(proved, document) == "WRITES_DIFFER"
    document = proved.carrying(bundle)
    number = next(iter(document["evidence"]["blocks"]))
    document["evidence"]["blocks"][number] = "0" * 64
    assert refused(proved, document) == "WRITES_DIFFER"
    del document["evidence"]["blocks"][number]
    assert refused(proved, document) == "WRITES_DIFFER"


def test_a_closed_epoch_has_to_be_signed_by_its_custodian(proved: Proved, bundle: bytes) -> None:
    document = proved.carrying(bundle)
    (epoch,) = [write for write in document["evidence"]["writes"] if write["kind"] == "closed-epoch"]
    epoch["endorsed"] = False
    assert refused(proved, document) == "CHAIN_DIFFERS"
    stranger = copy.deepcopy(proved.document)
    stranger["evidence"]["proofs"] = document["evidence"]["proofs"]
    (epoch,) = [write for write in stranger["evidence"]["writes"] if write["kind"] == "closed-epoch"]
    epoch["record_id"] = epoch["record_id"].replace("Northgate", "Riverside")
    assert refused(proved, stranger) == "WRITES_DIFFER"
