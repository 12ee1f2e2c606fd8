"""Reads of a key that the same function has written before."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from fabric_shim.determinism.findings import Found, found

_WRITES: Final = {
    "put_state": 0,
    "put_states": 0,
    "delete_state": 0,
    "put_private": 1,
    "put_privates": 1,
    "delete_private": 1,
    "purge_private": 1,
}
_READS: Final = {"get_state": 0, "get_states": 0, "get_private": 1, "get_privates": 1, "get_private_hash": 1}
_KEYS: Final = ("collection", "key", "keys", "values")
_Function = ast.FunctionDef | ast.AsyncFunctionDef


class _Written(NamedTuple):
    """A key that was written: by its expression, and the names that the expression follows from."""

    place: str
    names: frozenset[str]


_State = frozenset[_Written]
_Ended = None
"""State after a return, raise, break or continue: nothing follows."""


def own_writes(tree: ast.AST) -> Found:
    """Every ``get_state(key)`` after ``put_state(key, …)`` on one way through a function."""
    for node in ast.walk(tree):
        if isinstance(node, _Function):
            yield from dict.fromkeys(_Walk().run(node.body))


class _Walk:
    def __init__(self) -> None:
        self._found: list[tuple[int, str, str]] = []

    def run(self, body: Sequence[ast.stmt]) -> list[tuple[int, str, str]]:
        self._block(body, frozenset())
        return self._found

    def _block(self, body: Sequence[ast.stmt], state: _State | None) -> _State | None:
        for statement in body:
            if state is _Ended:
                break
            state = self._statement(statement, state)
        return state

    def _statement(self, node: ast.stmt, state: _State) -> _State | None:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                return state
            case ast.If(test=test):
                state = self._expression(test, state)
                return _join(self._block(node.body, state), self._block(node.orelse, state))
            case ast.For() | ast.AsyncFor() | ast.While():
                return self._loop(node, state)
            case ast.Try() | ast.TryStar():
                return self._try(node, state)
            case ast.With(items=items) | ast.AsyncWith(items=items):
                for item in items:
                    state = self._expression(item.context_expr, state)
                return self._block(node.body, state)
            case ast.Match(subject=subject, cases=cases):
                state = self._expression(subject, state)
                return _join(state, *(self._block(case.body, state) for case in cases))
            case ast.Return() | ast.Raise() | ast.Break() | ast.Continue():
                self._expression(node, state)
                return _Ended
        return self._expression(node, state)

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, state: _State) -> _State:
        before = self._expression(node.test if isinstance(node, ast.While) else node.iter, state)
        state = before
        # Twice: what one round wrote, the next may read, unless its key follows from the loop's variable.
        for _ in range(2):
            if not isinstance(node, ast.While):
                state = _forget(state, _stored(node.target))
            state = _join(state, self._block(node.body, state)) or frozenset()
        return _join(before, state, self._block(node.orelse, state)) or frozenset()

    def _try(self, node: ast.Try | ast.TryStar, state: _State) -> _State | None:
        body = self._block(node.body, state)
        entered = _join(state, body) or frozenset()
        ends = [self._block(handler.body, entered) for handler in node.handlers]
        ends.append(self._block(node.orelse, body))
        return self._block(node.finalbody, _join(*ends)) if node.finalbody else _join(*ends)

    def _expression(self, node: ast.AST, state: _State) -> _State:
        for call in _calls(node):
            state = self._call(call, state)
        return _forget(state, _stored(node))

    def _call(self, call: ast.Call, state: _State) -> _State:
        if not isinstance(call.func, ast.Attribute):
            return state
        name, stub = call.func.attr, call.func.value
        if name in _WRITES:
            return state | {_written(stub, place) for place in _places(call, _WRITES[name])}
        if name in _READS:
            for place in _places(call, _READS[name]):
                if _written(stub, place) in state:
                    key = ast.unparse(place[-1])
                    self._found.append(found(call, "OWN_WRITE", f"{name} of {key}, which was written before"))
        return state


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    """Calls in the order in which they run: arguments before the call that they are for."""
    for child in ast.iter_child_nodes(node):
        yield from _calls(child)
    if isinstance(node, ast.Call):
        yield node


def _places(call: ast.Call, key_position: int) -> list[list[ast.expr]]:
    """Collection, if there is one, and key of each record that a call is about."""
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    arguments = [*call.args, *(named[name] for name in _KEYS if name in named)]
    if len(arguments) <= key_position:
        return []
    collection, key = arguments[:key_position], arguments[key_position]
    entries: Sequence[ast.expr | None] = [key]
    if isinstance(key, ast.List | ast.Tuple):
        entries = key.elts
    elif isinstance(key, ast.Dict):
        entries = key.keys
    return [[*collection, entry] for entry in entries if entry is not None]


def _written(stub: ast.expr, place: list[ast.expr]) -> _Written:
    names = {n.id for part in place for n in ast.walk(part) if isinstance(n, ast.Name)}
    return _Written(" ".join(ast.unparse(part) for part in (stub, *place)), frozenset(names))


def _stored(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _forget(state: _State, names: set[str]) -> _State:
    return frozenset(written for written in state if not written.names & names)


def _join(*states: _State | None) -> _State | None:
    reached = [state for state in states if state is not _Ended]
    return frozenset().union(*reached) if reached else _Ended
