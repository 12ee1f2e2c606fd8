"""State that outlives a transaction: variables of modules and classes that functions change."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from fabric_shim.determinism.findings import Found, found

_CHANGING: Final = frozenset(
    {
        "append",
        "extend",
        "insert",
        "add",
        "update",
        "setdefault",
        "pop",
        "popitem",
        "remove",
        "discard",
        "clear",
        "sort",
        "reverse",
        "appendleft",
        "extendleft",
        "popleft",
        "rotate",
        "subtract",
        "intersection_update",
        "difference_update",
        "symmetric_difference_update",
        "send",
        "set",
    }
)

_MUTABLE_CALLS: Final = frozenset(
    {
        "list",
        "dict",
        "set",
        "bytearray",
        "defaultdict",
        "deque",
        "Counter",
        "OrderedDict",
        "count",
        "cycle",
        "iter",
        "ContextVar",
    }
)

_MARKS: Final = frozenset({"transaction", "evaluation"})
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def global_state(tree: ast.Module) -> Found:
    """Changes, inside functions, of what outlives them, and mutable defaults."""
    mutable = set(_mutable_names(tree.body))
    names = mutable | {name for name, _ in _module_names(tree)}
    classes = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    for function in (node for node in ast.walk(tree) if isinstance(node, _Function | ast.Lambda)):
        yield from _defaults(function)
    for function in _outermost_functions(tree):
        local = _local_names(function)
        shared = _Shared(mutable - local, names - local, classes)
        for node in ast.walk(function):
            yield from _changes(node, shared)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from _class_variables(node)
            if _is_contract(node):
                yield from _kept_by_contract(node)


class _Shared:
    def __init__(self, mutable: set[str], names: set[str], classes: set[str]) -> None:
        self.mutable = mutable
        self.names = names
        self.classes = classes | {"cls"}


def _mutable_names(body: list[ast.stmt]) -> Iterator[str]:
    for statement in body:
        match statement:
            case ast.Assign(targets=targets, value=value) if _is_mutable(value):
                yield from (target.id for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if _is_mutable(value):
                yield name


def _module_names(tree: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=targets):
                yield from ((target.id, statement) for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name, statement
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                yield from ((alias.asname or alias.name.split(".")[0], statement) for alias in aliases)


def _is_mutable(value: ast.expr) -> bool:
    match value:
        case ast.List() | ast.Dict() | ast.Set() | ast.ListComp() | ast.DictComp() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in _MUTABLE_CALLS
    return False


def _outermost_functions(node: ast.AST) -> Iterator[_Function]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _Function):
            yield child
        else:
            yield from _outermost_functions(child)


def _local_names(function: _Function) -> set[str]:
    declared = {name for node in ast.walk(function) if isinstance(node, ast.Global) for name in node.names}
    stored = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return (stored | {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}) - declared


def _changes(node: ast.AST, shared: _Shared) -> Found:
    match node:
        case ast.Global(names=names):
            yield found(node, "GLOBAL_STATE", f"global {', '.join(names)}")
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if name in shared.mutable:
            if method in _CHANGING:
                yield found(node, "GLOBAL_STATE", f"{name}.{method} changes a module's variable")
        case ast.Call(func=ast.Name(id="next"), args=[ast.Name(id=name), *_]) if name in shared.names:
            yield found(node, "GLOBAL_STATE", f"next({name}) advances a module's iterator")
        case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()) if name in shared.names:
            yield found(node, "GLOBAL_STATE", f"{name}[…] of a module is changed")
        case ast.Attribute(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
            if name in shared.classes | shared.names:
                yield found(node, "GLOBAL_STATE", f"an attribute of {name} is changed")
        case ast.Subscript(value=ast.Attribute(value=ast.Name(id=name)), ctx=ast.Store() | ast.Del()):
            if name in shared.classes:
                yield found(node, "GLOBAL_STATE", f"a variable of class {name} is changed")


def _defaults(function: _Function | ast.Lambda) -> Found:
    for value in (*function.args.defaults, *function.args.kw_defaults):
        if value is not None and _is_mutable(value):
            yield found(value, "GLOBAL_STATE", "a mutable default is shared by all calls")


def _class_variables(node: ast.ClassDef) -> Found:
    names = set(_mutable_names(node.body))
    for inner in ast.walk(node):
        match inner:
            case ast.Call(
                func=ast.Attribute(value=ast.Attribute(value=ast.Name(id=owner), attr=name), attr=method)
            ):
                if owner in ("self", "cls", node.name) and name in names and method in _CHANGING:
                    yield found(inner, "GLOBAL_STATE", f"{name}.{method} changes a variable of a class")
            case ast.Subscript(
                value=ast.Attribute(value=ast.Name(id="self"), attr=name), ctx=ast.Store() | ast.Del()
            ) if name in names:
                yield found(inner, "GLOBAL_STATE", f"{name}[…] of a class is changed")


def _is_contract(node: ast.ClassDef) -> bool:
    bases = [base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "") for base in node.bases]
    marked = (
        getattr(decorator, "id", getattr(decorator, "attr", ""))
        for function in node.body
        if isinstance(function, _Function)
        for decorator in function.decorator_list
    )
    return any(base.endswith("Contract") for base in bases) or any(name in _MARKS for name in marked)


def _kept_by_contract(node: ast.ClassDef) -> Found:
    for function in node.body:
        if isinstance(function, _Function) and function.name != "__init__":
            for inner in ast.walk(function):
                match inner:
                    case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store() | ast.Del()):
                        yield found(
                            inner, "GLOBAL_STATE", f"self.{name}: a contract is shared by all transactions"
                        )
                    case ast.Subscript(
                        value=ast.Attribute(value=ast.Name(id="self"), attr=name), ctx=ast.Store() | ast.Del()
                    ):
                        yield found(
                            inner, "GLOBAL_STATE", f"self.{name}[…]: a contract is shared by all transactions"
                        )
                    case ast.Call(
                        func=ast.Attribute(value=ast.Attribute(value=ast.Name(id="self"), attr=name), attr=m)
                    ):
                        if m in _CHANGING:
                            yield found(
                                inner,
                                "GLOBAL_STATE",
                                f"self.{name}.{m}: a contract is shared by all transactions",
                            )
