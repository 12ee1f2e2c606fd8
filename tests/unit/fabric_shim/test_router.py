import json
import logging
from types import SimpleNamespace

import pytest

from fabric_shim import (
    ConfigurationError,
    Context,
    Contract,
    ContractError,
    PeerError,
    Router,
    evaluation,
    transaction,
)

SECRET = "a-patient's-name"


class DomainError(Exception):
    pass


class Record:
    @classmethod
    def from_dict(cls, document):
        raise (document.get("domain") and DomainError(SECRET)) or ValueError(SECRET)


class Things(Contract):
    name = "things"

    @transaction
    async def echo(self, ctx: Context, text: str, number: int = 7) -> dict[str, object]:
        return {"text": text, "number": number, "function": ctx.function, "kind": ctx.kind}

    @transaction
    async def nothing(self, ctx: Context) -> None: ...

    @transaction
    async def take(self, ctx: Context, record: Record) -> None: ...

    @transaction
    async def fail(self, ctx: Context, how: str) -> None:
        if how == "refusal":
            raise ContractError("REFUSED", "no", {"n": 1}, status=403)
        if how == "domain":
            raise DomainError(SECRET)
        if how == "peer":
            raise PeerError("GET_STATE", SECRET, collection="c", key=SECRET)
        if how == "exit":
            raise SystemExit(1)
        raise RuntimeError(SECRET)

    @transaction
    async def bad_result(self, ctx: Context) -> float:
        return 1.5

    @evaluation
    async def look(self, ctx: Context) -> str:
        return ctx.transaction_id

    async def unmarked(self, ctx: Context) -> None: ...

    def translate_error(self, error: Exception) -> ContractError | None:
        return ContractError("DOMAIN", "translated") if isinstance(error, DomainError) else None


class StubDouble(SimpleNamespace):
    transaction_id = "t1"
    read_only = False

    def refuse_writes(self):
        self.read_only = True


async def call(*arguments, contract=None):
    return await Router([contract or Things()]).invoke(StubDouble(arguments=arguments))


def error_of(outcome):
    return json.loads(outcome.message)


async def test_a_marked_function_is_called_with_decoded_arguments():
    outcome = await call(b"things:echo", b"x", b"3")
    assert (outcome.status, outcome.message) == (200, "")
    assert outcome.payload == b'{"function":"things:echo","kind":"transaction","number":3,"text":"x"}'


async def test_arguments_with_a_default_may_be_left_out():
    assert json.loads((await call(b"things:echo", b"x")).payload)["number"] == 7


@pytest.mark.parametrize(
    "arguments",
    [(), (b"",), (b"things",), (b"echo",), (b"things:unmarked",), (b"things:before",), (b"\xff:\xff",)],
)
async def test_unknown_and_unmarked_functions_are_not_found(arguments):
    outcome = await call(*arguments)
    assert (outcome.status, error_of(outcome)["code"]) == (404, "FUNCTION_NOT_FOUND")


@pytest.mark.parametrize("arguments", [(), (b"x", b"1", b"2")])
async def test_a_wrong_number_of_arguments_is_refused(arguments):
    outcome = await call(b"things:echo", *arguments)
    assert error_of(outcome) == {
        "code": "ARGUMENT_INVALID",
        "fields": {"function": "things:echo"},
        "message": f"got {len(arguments)} arguments, expected 1 to 2",
    }


async def test_a_bad_argument_is_refused_by_name():
    outcome = await call(b"things:echo", b"x", b"1.5")
    assert (outcome.status, error_of(outcome)["code"]) == (400, "ARGUMENT_INVALID")
    assert error_of(outcome)["fields"] == {"function": "things:echo", "parameter": "number"}


async def test_a_record_that_refuses_its_document_is_not_quoted():
    outcome = await call(b"things:take", b"{}")
    assert error_of(outcome)["code"] == "ARGUMENT_INVALID"
    assert SECRET not in outcome.message


async def test_errors_of_the_domain_are_translated():
    for arguments in ((b"things:take", b'{"domain":true}'), (b"things:fail", b"domain")):
        assert error_of(await call(*arguments))["code"] == "DOMAIN"


async def test_a_contracts_refusal_is_canonical_json():
    outcome = await call(b"things:fail", b"refusal")
    assert outcome.status == 403
    assert outcome.message == '{"code":"REFUSED","fields":{"n":1},"message":"no"}'


@pytest.mark.parametrize("how", ["unexpected", "peer", "exit", "domain"])
async def test_no_words_of_an_exception_reach_caller_or_log(how, caplog):
    with caplog.at_level(logging.DEBUG):
        outcome = await call(b"things:fail", how.encode())
    assert outcome.status >= 400
    assert SECRET not in outcome.message + caplog.text


async def test_an_unexpected_exception_is_an_internal_error_whose_place_is_logged(caplog):
    outcome = await call(b"things:fail", b"unexpected")
    assert (outcome.status, error_of(outcome)["code"]) == (500, "INTERNAL_ERROR")
    assert "RuntimeError at fail:" in caplog.text
    assert "t1" in caplog.text


async def test_a_peers_error_names_operation_and_collection():
    outcome = await call(b"things:fail", b"peer")
    assert outcome.status == 500
    assert error_of(outcome)["fields"] == {"collection": "c", "operation": "GET_STATE"}


async def test_a_result_without_canonical_form_is_an_internal_error():
    assert error_of(await call(b"things:bad_result"))["code"] == "INTERNAL_ERROR"


async def test_a_translation_that_fails_is_an_internal_error():
    class Broken(Things):
        def translate_error(self, error):
            raise RuntimeError(SECRET)

    outcome = await call(b"things:fail", b"domain", contract=Broken())
    assert error_of(outcome)["code"] == "INTERNAL_ERROR"
    assert SECRET not in outcome.message


async def test_evaluations_refuse_writes():
    stub = StubDouble(arguments=(b"things:look",))
    assert (await Router([Things()]).invoke(stub)).payload == b"t1"
    assert stub.read_only


async def test_hooks_run_around_the_function():
    seen = []

    class Hooked(Things):
        async def before(self, ctx):
            seen.append(("before", ctx.function))

        async def after(self, ctx, result):
            seen.append(("after", result))

    await call(b"things:nothing", contract=Hooked())
    assert seen == [("before", "things:nothing"), ("after", None)]


async def test_a_hook_can_refuse():
    class Closed(Things):
        async def before(self, ctx):
            raise ContractError("CLOSED", "no")

    assert error_of(await call(b"things:nothing", contract=Closed()))["code"] == "CLOSED"


async def test_an_override_without_mark_is_not_callable():
    class Narrowed(Things):
        async def nothing(self, ctx: Context) -> None: ...

    assert (await call(b"things:nothing", contract=Narrowed())).status == 404


def test_functions_are_listed_by_their_names_on_the_wire():
    names = ["bad_result", "echo", "fail", "look", "nothing", "take"]
    system = "org.hyperledger.fabric:GetMetadata"
    assert Router([Things()]).functions == (system, *(f"things:{name}" for name in names))


class Nameless(Contract):
    @transaction
    async def f(self, ctx: Context) -> None: ...


class Colon(Nameless):
    name = "a:b"


class Empty(Contract):
    name = "empty"


class Unannotated(Contract):
    name = "unannotated"

    @transaction
    async def f(self, ctx: Context, x) -> None: ...


class Variadic(Contract):
    name = "variadic"

    @transaction
    async def f(self, ctx: Context, *x: str) -> None: ...


@pytest.mark.parametrize(
    "contracts",
    [[], [Nameless()], [Colon()], [Empty()], [Unannotated()], [Variadic()], [Things(), Things()]],
)
def test_contracts_that_cannot_be_served_are_refused(contracts):
    with pytest.raises(ConfigurationError):
        Router(contracts)


@pytest.mark.parametrize("mark", [transaction, evaluation])
def test_only_async_functions_can_be_marked(mark):
    def function(self, ctx):
        return None

    with pytest.raises(TypeError, match="async def"):
        mark(function)


def test_an_error_response_needs_an_error_status():
    with pytest.raises(ValueError, match="400"):
        ContractError("CODE", "words", status=200)
