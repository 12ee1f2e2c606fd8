"""Fabric's text form of signature policies: `OutOf(2, 'AMSP.peer', 'BMSP.peer', AND('CMSP.admin', …))`.

Source: fabric-behaviour §2.3 (`common/policydsl/policyparser.go`). Every principal that is written becomes a
principal of its own, numbered from left to right, so that the same text gives the same bytes everywhere.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from fabric_protos.common import policies_pb2
from fabric_protos.msp import msp_principal_pb2
from google.protobuf.message import DecodeError

from fabric_protocol.errors import PolicyError
from fabric_protocol.principals import ROLE_NAMES, ROLES, role_principal

MAX_LENGTH: Final = 65536
"""Longest policy text accepted, in characters."""

MAX_DEPTH: Final = 32
"""Deepest nesting accepted: deeper ones do not fit protobuf's own limit."""

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<gate>[A-Za-z]+)|(?P<number>\d{1,9})|(?P<quoted>'[^']*'|\"[^\"]*\")|(?P<mark>[(),]))"
)
_PRINCIPAL: Final = re.compile(rf"([A-Za-z0-9.-]+)\.({'|'.join(ROLES)})")
_GATES: Final = {
    spelling: name
    for name, spellings in {
        "AND": ("AND", "And", "and"),
        "OR": ("OR", "Or", "or"),
        "OUTOF": ("OUTOF", "OutOf", "outof"),
    }.items()
    for spelling in spellings
}

_Token = tuple[str, str]


def parse_policy(text: str) -> Any:
    """Read a policy's text as SignaturePolicyEnvelope.

    Parameters:
        text: `AND(…)`, `OR(…)` or `OutOf(n, …)` over principals `'MSPID.role'` and nested gates; role is
            member, admin, client, peer or orderer.

    Raises:
        PolicyError: POLICY_SYNTAX, naming what was expected.
    """
    if not isinstance(text, str) or len(text) > MAX_LENGTH:
        raise _syntax(f"a text of at most {MAX_LENGTH} characters")
    parser = _Parser(text)
    rule = parser.gate(MAX_DEPTH)
    parser.end()
    return policies_pb2.SignaturePolicyEnvelope(version=0, rule=rule, identities=parser.principals)


def format_policy(envelope: Any) -> str:
    """Write a SignaturePolicyEnvelope as text; `parse_policy` reads it back as an equivalent policy.

    Raises:
        PolicyError: POLICY_NOT_PRINTABLE, a principal other than a role, or a rule that points nowhere.
    """
    if envelope.rule.WhichOneof("Type") == "signed_by":
        return f"OutOf(1, {_format(envelope.rule, envelope.identities)})"
    return _format(envelope.rule, envelope.identities)


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self.principals: list[Any] = []

    def gate(self, depth: int, token: _Token | None = None) -> Any:
        """One `AND(…)`, `OR(…)` or `OutOf(n, …)`, whose first token may have been taken already."""
        kind, word = token or self._next()
        name = _GATES.get(word) if kind == "gate" else None
        if name is None:
            raise _syntax("AND(…), OR(…) or OutOf(n, …)", word)
        if depth == 0:
            raise _syntax(f"at most {MAX_DEPTH} nested gates")
        self._expect("(")
        threshold = self._threshold() if name == "OUTOF" else None
        rules = self._rules(depth)
        count = {"AND": len(rules), "OR": 1}.get(name, threshold)
        if count is None or count > len(rules) + 1:
            raise _syntax(f"OutOf of 0 to {len(rules) + 1} with {len(rules)} rules", str(count))
        return _n_out_of(count, rules)

    def end(self) -> None:
        """Nothing may follow."""
        kind, word = self._next()
        if kind != "end":
            raise _syntax("the end", word)

    def _rules(self, depth: int) -> list[Any]:
        rules = []
        while True:
            kind, word = self._next()
            rules.append(
                self._principal(word[1:-1]) if kind == "quoted" else self.gate(depth - 1, (kind, word))
            )
            _, mark = self._next()
            if mark == ")":
                return rules
            if mark != ",":
                raise _syntax("',' or ')'", mark)

    def _threshold(self) -> int:
        kind, word = self._next()
        digits = word.strip("'\"") if kind == "quoted" else word
        if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
            raise _syntax("the number of OutOf", word)
        self._expect(",")
        return int(digits)

    def _principal(self, text: str) -> Any:
        match = _PRINCIPAL.fullmatch(text)
        if match is None:
            raise _syntax(f"a principal 'MSPID.role' with a role of {', '.join(ROLES)}", text)
        self.principals.append(role_principal(match.group(1), match.group(2)))
        return policies_pb2.SignaturePolicy(signed_by=len(self.principals) - 1)

    def _expect(self, mark: str) -> None:
        _, word = self._next()
        if word != mark:
            raise _syntax(f"{mark!r}", word)

    def _next(self) -> _Token:
        return next(self._tokens, ("end", "the end"))


def _tokens(text: str) -> Iterator[_Token]:
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            raise _syntax(
                "a gate, a number, a quoted principal or one of ( ) ,", text[position : position + 20]
            )
        position = match.end()
        kind = str(match.lastgroup)
        yield kind, match.group(kind)


def _n_out_of(count: int, rules: list[Any]) -> Any:
    return policies_pb2.SignaturePolicy(n_out_of=policies_pb2.SignaturePolicy.NOutOf(n=count, rules=rules))


def _format(rule: Any, principals: Any) -> str:
    kind = rule.WhichOneof("Type")
    if kind == "signed_by":
        return _format_principal(rule.signed_by, principals)
    if kind != "n_out_of":
        raise _not_printable("a rule is neither a signature nor a gate")
    count, rules = rule.n_out_of.n, rule.n_out_of.rules
    if not rules:
        raise _not_printable("a gate has no rules")
    inner = ", ".join(_format(nested, principals) for nested in rules)
    if len(rules) > 1 and count == len(rules):
        return f"AND({inner})"
    if len(rules) > 1 and count == 1:
        return f"OR({inner})"
    return f"OutOf({count}, {inner})"


def _format_principal(index: int, principals: Any) -> str:
    if not 0 <= index < len(principals):
        raise _not_printable(f"a rule points at principal {index} of {len(principals)}")
    principal = principals[index]
    if principal.principal_classification != msp_principal_pb2.MSPPrincipal.ROLE:
        raise _not_printable("a principal is not a role")
    try:
        content = msp_principal_pb2.MSPRole.FromString(principal.principal)
    except DecodeError:
        raise _not_printable("a principal cannot be read") from None
    text = f"{content.msp_identifier}.{ROLE_NAMES.get(content.role, '?')}"
    if not _PRINCIPAL.fullmatch(text):
        raise _not_printable("a principal has a name or a role that the language lacks")
    return f"'{text}'"


def _syntax(expected: str, got: str | None = None) -> PolicyError:
    return PolicyError("POLICY_SYNTAX", f"policy: expected {expected}" + (f", got {got!r}" if got else ""))


def _not_printable(why: str) -> PolicyError:
    return PolicyError("POLICY_NOT_PRINTABLE", f"the policy has no text form: {why}")
