"""What names mean in a file: imports by their qualified names, and built-ins that nothing shadows."""

from __future__ import annotations

import ast
from collections.abc import Iterator


def qualified_imports(tree: ast.AST) -> dict[str, str]:
    """Local name → qualified name of everything that absolute imports bind anywhere in the file."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname:
                    names[alias.asname] = alias.name
                else:
                    top = alias.name.split(".")[0]
                    names[top] = top
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def qualified(node: ast.expr, imports: dict[str, str]) -> str | None:
    """``datetime.datetime.now`` of an expression that an import leads to, else ``None``."""
    match node:
        case ast.Name(id=name):
            return imports.get(name)
        case ast.Attribute(value=value, attr=attribute):
            base = qualified(value, imports)
            return f"{base}.{attribute}" if base is not None else None
    return None


def bound_names(tree: ast.AST) -> set[str]:
    """Every name that the file binds itself: assigned, a parameter, a function, a class or an import."""
    return set(_bound(tree))


def _bound(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.alias(name=name, asname=as_name):
                yield as_name or name.split(".")[0]


def type_checking_nodes(tree: ast.AST) -> set[ast.AST]:
    """Nodes below ``if TYPE_CHECKING:``: they never run."""
    nodes: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If):
            test = node.test
            name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", None)
            if name == "TYPE_CHECKING":
                nodes.update(inner for statement in node.body for inner in ast.walk(statement))
    return nodes
