"""What officers sign, in words: each transaction, each argument, and whatever is no such thing."""

from __future__ import annotations

import base64
import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ledger_examples as examples
from support import record_documents
from support.ledger_examples import identifier
from support.web_actions import ARGUMENTS, ENGLISH, GERMAN, RATIONALE, action, call, creator

from consentry.web import texts
from consentry.web.actions import (
    FORMS,
    Action,
    ActionRefused,
    Call,
    Statement,
    described,
    proposed_call,
    visible,
    visible_lines,
)
from consentry.web.actions.forms import RecordForm
from consentry_records import canonical
from consentry_records.emergency import EMERGENCY_FINDINGS
from consentry_records.errors import LedgerError
from consentry_records.record import Record
from consentry_records.review import REVIEW_REASONS, encode_rationale
from consentry_records.vocabulary import PURPOSES, RESTRICTIONS
from fabric_protocol.proposals import new_proposal

ALONE = tuple(name for name in FORMS if name not in ("reviews:store_rationale", "rights:purge"))
HOSTILE = "\u202egnp.exe\x1b[2J<script>alert(1)</script>\u0000\u200b\ufeff\x9b31m\u2028a\u0301\u0301\u0301"


def in_words(one: Action) -> list[Any]:
    """Everything that a person reads of an action, without the digest."""
    statement = described(one, ENGLISH)
    return [(part.title, part.sentence, part.rows) for part in statement.parts]


def all_text(statement: Statement) -> str:
    lines = [statement.signer, statement.msp_id, statement.channel, statement.chaincode]
    for part in statement.parts:
        lines += [part.title, part.sentence, *(f"{row.name} {' '.join(row.values)}" for row in part.rows)]
    return "\n".join(lines)


def test_every_form_has_an_example_and_words() -> None:
    assert set(ARGUMENTS) == set(FORMS)


@pytest.mark.parametrize("words", [ENGLISH, GERMAN], ids=["english", "german"])
@pytest.mark.parametrize("function", ALONE)
def test_a_transaction_says_what_it_does_and_shows_every_argument(function: str, words: Any) -> None:
    statement = described(action(call(function)), words)
    (part,) = statement.parts
    argument = ARGUMENTS[function]
    expected = argument.to_dict() if isinstance(argument, Record) else {"id": argument}
    count = sum(len(value) if isinstance(value, dict) else 1 for value in expected.values())
    assert part.function == function
    assert part.title
    assert part.sentence
    assert "{" not in part.sentence
    assert len(part.rows) == count
    assert all(row.values for row in part.rows)
    assert (statement.signer, statement.msp_id) == ("officer-1", examples.NORTHGATE)


def test_a_grant_says_to_whom_what_and_until_when() -> None:
    (part,) = described(action(call("grants:grant")), ENGLISH).parts
    assert identifier("request") in part.sentence
    assert "until 2026-03-31 00:00:00.000 UTC" in part.sentence
    rows = {row.name: row.values for row in part.rows}
    assert rows["Dataset versions"] == (identifier("version"),)
    assert rows["Purposes"] == ("health, medical or biomedical research (DUO:0000006)",)
    assert rows["Uses at most"] == ("any number",)


def test_a_rationale_stands_with_its_review() -> None:
    pair = action(call("reviews:store_rationale"), call("reviews:record"))
    first, second = described(pair, ENGLISH).parts
    assert first.rows[-1].values == ("The cohort is small.", "The ethics vote fits.")
    assert second.title == "Approve a request for access"


def test_a_purge_stands_with_its_fulfilment_and_shows_every_entry() -> None:
    purge, _ = described(action(call("rights:purge"), call("rights:fulfil")), ENGLISH).parts
    assert [value for row in purge.rows for value in row.values if "/" in value] == list(
        ARGUMENTS["rights:purge"].entries
    )


@pytest.mark.parametrize("function", [name for name in ALONE if isinstance(ARGUMENTS[name], str)])
def test_another_id_is_another_text(function: str) -> None:
    other = call(function, ARGUMENTS[function][:-1] + "9")
    assert in_words(action(other)) != in_words(action(call(function)))


RECORDS = {name: form.record for name in ALONE if isinstance(form := FORMS[name], RecordForm)}
VOCABULARIES = {
    "purposes": PURPOSES,
    "restrictions": RESTRICTIONS,
    "review_reasons": REVIEW_REASONS,
    "emergency_findings": EMERGENCY_FINDINGS,
}


@pytest.mark.parametrize("group", VOCABULARIES)
def test_the_english_words_of_codes_are_those_of_the_records(group: str) -> None:
    expected = VOCABULARIES[group]
    prefix = f"{group}."
    assert {
        key.removeprefix(prefix): value
        for key, value in texts.catalogue("en").items()
        if key.startswith(prefix)
    } == dict(expected)


@st.composite
def two_arguments(draw: st.DrawFn) -> tuple[str, Record, Record]:
    function = draw(st.sampled_from(sorted(RECORDS)))
    record = RECORDS[function]
    documents = record_documents.documents(record)
    first = draw(documents)
    second = first | {name: draw(documents)[name] for name in draw(st.sets(st.sampled_from(sorted(first))))}
    try:
        return function, record.from_dict(first), record.from_dict(second)
    except LedgerError:
        return function, ARGUMENTS[function], ARGUMENTS[function]


@given(two_arguments())
def test_different_arguments_show_differently_and_have_different_digests(
    drawn: tuple[str, Record, Record],
) -> None:
    function, first, second = drawn
    one, other = action(call(function, first)), action(call(function, second))
    assert (in_words(one) == in_words(other)) == (first == second)
    assert (one.digest == other.digest) == (one.to_bytes() == other.to_bytes())


@given(st.binary(max_size=300), st.sampled_from(sorted(FORMS)))
def test_arguments_that_are_none_are_refused(data: bytes, function: str) -> None:
    with pytest.raises(ActionRefused) as refused:
        described(action(call(function, data)), ENGLISH)
    assert refused.value.code in ("ARGUMENT_INVALID", "ACTION_UNKNOWN")


@given(st.text(max_size=60))
def test_functions_that_are_not_known_are_refused(name: str) -> None:
    if name in FORMS:
        return
    with pytest.raises(ActionRefused) as refused:
        described(action(Call((name.encode("utf-8", "surrogatepass"), b"x"))), ENGLISH)
    assert refused.value.code == "ACTION_UNKNOWN"
    assert all(unicodedata.category(character) != "Cc" for character in refused.value.message)


@pytest.mark.parametrize(
    "calls",
    [
        [call("grants:revoke"), call("grants:revoke")],
        [call("reviews:store_rationale")],
        [call("reviews:record"), call("reviews:store_rationale")],
        [call("reviews:store_rationale"), call("grants:revoke")],
    ],
    ids=["two", "rationale alone", "the wrong way round", "rationale and another"],
)
def test_transactions_that_do_not_belong_together_are_refused(calls: list[Call]) -> None:
    with pytest.raises(ActionRefused) as refused:
        described(action(*calls), ENGLISH)
    assert refused.value.code == "ACTION_UNKNOWN"


STORE = call("reviews:store_rationale")
OTHER = encode_rationale(bytes(32), "Something else.")


@pytest.mark.parametrize(
    "calls",
    [
        [Call(STORE.arguments, {"rationale": OTHER}, STORE.endorsers), call("reviews:record")],
        [Call(STORE.arguments, STORE.transient, ()), call("reviews:record")],
        [Call(STORE.arguments, STORE.transient, (examples.RIVERSIDE,)), call("reviews:record")],
        [Call(STORE.arguments, {}, STORE.endorsers), call("reviews:record")],
        [Call(STORE.arguments, {**STORE.transient, "more": b""}, STORE.endorsers), call("reviews:record")],
        [Call(call("grants:revoke").arguments, {"rationale": RATIONALE}, ())],
        [Call(call("grants:revoke").arguments, {}, (examples.RIVERSIDE,))],
        [Call((*call("grants:revoke").arguments, b"more"))],
        [Call((b"grants:revoke",))],
        [call("grants:grant", json.dumps(examples.new_grant().to_dict()).encode())],
    ],
    ids=[
        "another rationale",
        "rationale for everybody's peer",
        "rationale for another's peer",
        "no rationale",
        "more transient data",
        "transient data of a public transaction",
        "chosen endorsers",
        "two arguments",
        "no argument",
        "not canonical",
    ],
)
def test_what_is_beside_the_words_is_refused(calls: list[Call]) -> None:
    with pytest.raises(ActionRefused) as refused:
        described(action(*calls), ENGLISH)
    assert refused.value.code == "ARGUMENT_INVALID"


def test_words_that_a_catalogue_lacks_are_a_refusal() -> None:
    def lacking(key: str, **places: object) -> str:
        if key == "purposes.DUO:0000006":
            raise KeyError(key)
        return ENGLISH(key, **places)

    with pytest.raises(ActionRefused) as refused:
        described(action(call("grants:grant")), lacking)
    assert refused.value.code == "ACTION_UNKNOWN"


def rationale_shown(text: str) -> tuple[str, ...]:
    value = encode_rationale(bytes(32), text)
    from consentry_records.digest import sha256_digest

    review = examples.new_review(rationale_digest=sha256_digest(value))
    store = Call(STORE.arguments, {"rationale": value}, STORE.endorsers)
    return described(action(store, call("reviews:record", review)), ENGLISH).parts[0].rows[-1].values


def test_hostile_text_in_a_rationale_is_written_out() -> None:
    shown = "".join(rationale_shown(HOSTILE))
    assert "\\u{202e}gnp.exe\\u{1b}[2J<script>" in shown
    assert "\\u{0}\\u{200b}\\u{feff}\\u{9b}31m\\u{2028}" in shown
    assert shown.endswith("\\u{301}")


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=80))
def test_nothing_of_a_text_acts_on_who_reads_it(text: str) -> None:
    for line in rationale_shown(text):
        assert not {unicodedata.category(one) for one in line} & {"Cc", "Cf", "Co", "Cn", "Zl", "Zp"}


@given(st.text(max_size=40), st.text(max_size=40))
def test_different_texts_are_shown_differently(first: str, second: str) -> None:
    assert (visible(first) == visible(second)) == (first == second)
    assert (visible_lines(first) == visible_lines(second)) == (first == second)


def test_hostile_names_of_channel_and_signer_are_written_out() -> None:
    one = action(call("grants:revoke"), channel="con\u202esentry", chaincode="\x1b]0;x\x07")
    assert "\x1b" not in all_text(described(one, ENGLISH))
    assert "con\\u{202e}sentry" in all_text(described(one, ENGLISH))


def test_an_action_is_read_as_it_was_written() -> None:
    for function in ALONE:
        one = action(call(function))
        assert Action.from_bytes(one.to_bytes()) == one
    pair = action(STORE, call("reviews:record"))
    assert Action.from_bytes(pair.to_bytes()) == pair
    assert RATIONALE.hex() not in repr(pair)
    assert "cohort" not in repr(pair)


def altered(**changes: Any) -> bytes:
    return canonical.encode({**json.loads(action(call("grants:revoke")).to_bytes()), **changes})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"\xff",
        action(call("grants:revoke")).to_bytes() + b" ",
        altered(more=1),
        altered(schema="consentry.webaction/2"),
        altered(action_id="1"),
        altered(created_at="yesterday"),
        altered(calls=[]),
        altered(calls=["x"]),
        altered(calls=[{"arguments": [], "transient": {}, "endorsers": []}]),
        altered(calls=[{"arguments": ["!"], "transient": {}, "endorsers": []}]),
        altered(calls=[{"arguments": ["AB=="], "transient": {}, "endorsers": []}]),
        altered(calls=[{"arguments": ["AA=="], "transient": [], "endorsers": []}]),
        altered(calls=[{"arguments": ["AA=="], "transient": {}, "endorsers": [1]}]),
        altered(creator=None),
        altered(channel=""),
        b'{"schema":' * 2000,
        b"x" * 300_000,
    ],
)
def test_bytes_that_are_no_action_are_refused(data: bytes) -> None:
    with pytest.raises(ActionRefused) as refused:
        Action.from_bytes(data)
    assert refused.value.code == "ACTION_MALFORMED"


@given(st.data())
def test_an_action_with_any_byte_altered_is_refused_or_another_one(data: st.DataObject) -> None:
    original = action(call("grants:change")).to_bytes()
    place = data.draw(st.integers(0, len(original) - 1))
    changed = bytes([*original[:place], data.draw(st.integers(0, 255)), *original[place + 1 :]])
    try:
        other = Action.from_bytes(changed)
    except ActionRefused:
        return
    assert other.to_bytes() == changed
    assert (other.digest == action(call("grants:change")).digest) == (changed == original)


def test_an_action_without_an_identity_is_refused() -> None:
    with pytest.raises(ActionRefused) as refused:
        described(action(call("grants:revoke"), creator=b"nobody"), ENGLISH)
    assert refused.value.code == "ACTION_MALFORMED"


def proposal(**changes: Any) -> bytes:
    fields: dict[str, Any] = {
        "channel_id": "consentry",
        "chaincode": "consentry",
        "arguments": call("grants:revoke").arguments,
        "creator": creator(),
    }
    return new_proposal(**{**fields, **changes}).data


def test_the_call_of_a_proposal_is_found_in_its_action() -> None:
    assert proposed_call(action(call("grants:revoke")), proposal(), ()) == call("grants:revoke")


@pytest.mark.parametrize(
    ("data", "endorsers"),
    [
        (proposal(channel_id="other"), ()),
        (proposal(chaincode="other"), ()),
        (proposal(arguments=call("grants:suspend").arguments), ()),
        (proposal(arguments=(b"grants:revoke", identifier("grant", 2).encode())), ()),
        (proposal(creator=creator(examples.RIVERSIDE)), ()),
        (proposal(transient={"more": b"1"}), ()),
        (proposal(is_init=True), ()),
        (proposal(), (examples.RIVERSIDE,)),
        (proposal() + b"\x1a\x01x", ()),
        (b"nothing", ()),
    ],
    ids=[
        "channel",
        "chaincode",
        "function",
        "argument",
        "creator",
        "transient",
        "initialization",
        "endorsers",
        "more fields",
        "no proposal",
    ],
)
def test_a_proposal_of_anything_else_is_refused(data: bytes, endorsers: tuple[str, ...]) -> None:
    with pytest.raises(ActionRefused) as refused:
        proposed_call(action(call("grants:revoke")), data, endorsers)
    assert refused.value.code == "ACTION_DIFFERS"


def test_the_digest_is_that_of_the_bytes() -> None:
    one = action(call("grants:revoke"))
    import hashlib

    assert one.digest == "sha256:" + hashlib.sha256(one.to_bytes()).hexdigest()
    assert base64.b64encode(creator()).decode() in one.to_bytes().decode()
