"""Iteration over sets, whose order follows from ``PYTHONHASHSEED``."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from fabric_shim.determinism.findings import Found, found

_SET_TYPES: Final = frozenset({"set", "frozenset", "AbstractSet", "MutableSet", "Set", "FrozenSet"})
_SET_METHODS: Final = frozenset({"union", "intersection", "difference", "symmetric_difference", "copy"})
_ANY_ORDER: Final = frozenset(
    {"set", "frozenset", "any", "all", "len", "sum", "min", "max", "sorted", "bool", "isinstance"}
)
_IN_ORDER: Final = frozenset(
    {
        "list",
        "tuple",
        "enumerate",
        "iter",
        "next",
        "map",
        "filter",
        "zip",
        "reversed",
        "str",
        "repr",
        "format",
        "dict",
    }
)
_IN_ORDER_METHODS: Final = frozenset({"join", "fromkeys", "extend", "from_iterable", "dumps"})
_Scope = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef


def set_orders(tree: ast.Module) -> Found:
    """Where the order of something that is known to be a set matters."""
    fields = {
        name for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for name in _annotated(node.body)
    }
    yield from _scope(tree, _Known(frozenset(), frozenset(fields)))


class _Known:
    """Names, and attributes, that hold sets."""

    def __init__(self, names: frozenset[str], fields: frozenset[str]) -> None:
        self.names = names
        self.fields = fields

    def is_set(self, node: ast.expr | None) -> bool:
        match node:
            case ast.Set() | ast.SetComp():
                return True
            case ast.Name(id=name):
                return name in self.names
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
                return name in self.fields
            case ast.Call(func=ast.Name(id=name)):
                return name in ("set", "frozenset")
            case ast.Call(func=ast.Attribute(value=value, attr=name)):
                return name in _SET_METHODS and self.is_set(value)
            case ast.BinOp(left=left, op=ast.BitOr() | ast.BitAnd() | ast.Sub() | ast.BitXor(), right=right):
                return any(self.is_set(side) or _is_view(side) for side in (left, right))
            case ast.IfExp(body=body, orelse=orelse):
                return self.is_set(body) or self.is_set(orelse)
            case ast.NamedExpr(value=value):
                return self.is_set(value)
        return False


def _is_view(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("keys", "items")
    )


def _scope(scope: _Scope, outer: _Known) -> Found:
    nodes = list(_own_nodes(scope))
    known = _Known(outer.names - _rebound(scope, nodes), outer.fields)
    size = -1
    while size != len(known.names):
        # Sets that are named twice over: until no more are found.
        size = len(known.names)
        known = _Known(known.names | set(_assigned(scope, nodes, known)), outer.fields)
    any_order = {id(argument) for node in nodes for argument in _any_order_arguments(node)}
    for node in nodes:
        if isinstance(node, _Scope):
            yield from _scope(node, known)
        else:
            yield from _uses(node, known, any_order)


def _own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(scope):
        yield child
        if not isinstance(child, _Scope):
            yield from _own_nodes(child)


def _rebound(scope: _Scope, nodes: list[ast.AST]) -> set[str]:
    names = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return names | {argument.arg for argument in _parameters(scope)}


def _parameters(scope: _Scope) -> list[ast.arg]:
    if isinstance(scope, ast.Module | ast.ClassDef):
        return []
    arguments = scope.args
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]


def _assigned(scope: _Scope, nodes: list[ast.AST], known: _Known) -> Iterator[str]:
    yield from (argument.arg for argument in _parameters(scope) if _is_set_type(argument.annotation))
    yield from _annotated([node for node in nodes if isinstance(node, ast.AnnAssign)])
    for node in nodes:
        match node:
            case ast.Assign(targets=targets, value=value) if known.is_set(value):
                yield from (target.id for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name), value=value) if known.is_set(value):
                yield name
            case ast.NamedExpr(target=ast.Name(id=name), value=value) if known.is_set(value):
                yield name


def _annotated(body: list[ast.AnnAssign] | list[ast.stmt]) -> Iterator[str]:
    for statement in body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation) if _is_set_type(annotation):
                yield name


def _is_set_type(annotation: ast.expr | None) -> bool:
    match annotation:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in _SET_TYPES
        case ast.Subscript(value=ast.Name(id="Final" | "ClassVar" | "Annotated"), slice=inner):
            return _is_set_type(inner.elts[0] if isinstance(inner, ast.Tuple) else inner)
        case ast.Subscript(value=value):
            return _is_set_type(value)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _is_set_type(left) or _is_set_type(right)
    return False


def _any_order_arguments(node: ast.AST) -> list[ast.expr]:
    match node:
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=keywords) if name in _ANY_ORDER:
            # Among entries with equal keys the first one wins, and sorting keeps their order.
            return [] if any(keyword.arg == "key" for keyword in keywords) else list(arguments)
    return []


def _uses(node: ast.AST, known: _Known, any_order: set[int]) -> Found:
    if id(node) in any_order and _keeps_all(node):
        return
    for value, what in _consumed(node):
        if known.is_set(value):
            yield found(value, "SET_ORDER", what)


def _keeps_all(node: ast.AST) -> bool:
    match node:
        case ast.GeneratorExp() | ast.ListComp() | ast.Call(func=ast.Name(id="list" | "tuple")):
            return True
    return False


def _consumed(node: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    match node:
        case ast.For(iter=value) | ast.YieldFrom(value=value):
            yield value, "iteration over a set"
        case ast.ListComp(generators=generators) | ast.GeneratorExp(generators=generators):
            yield from ((generator.iter, "iteration over a set") for generator in generators)
        case ast.DictComp(generators=generators):
            yield from ((generator.iter, "iteration over a set") for generator in generators)
        case ast.Starred(value=value):
            yield value, "a set unpacked"
        case ast.Assign(targets=[ast.Tuple() | ast.List(), *_], value=value):
            yield value, "a set unpacked"
        case ast.FormattedValue(value=value):
            yield value, "a set as text"
        case ast.Call(func=ast.Attribute(value=value, attr="pop"), args=[]):
            yield value, "pop of a set"
        case ast.Call(func=ast.Attribute(attr=name), args=arguments) if name in _IN_ORDER_METHODS:
            yield from ((argument, f"a set handed to {name}") for argument in arguments)
        case ast.Call(func=ast.Name(id=name), args=arguments) if name in _IN_ORDER:
            yield from ((argument, f"a set handed to {name}") for argument in arguments)
        case ast.Call(func=ast.Name(id="sorted" | "min" | "max" as name), args=arguments, keywords=[_, *_]):
            yield from ((argument, f"a set handed to {name} with a key") for argument in arguments)
