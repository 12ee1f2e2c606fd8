"""Floating-point numbers: literals, divisions, conversions, fields."""

from __future__ import annotations

import ast
from typing import Final

from fabric_shim.determinism.findings import Found, found
from fabric_shim.determinism.names import bound_names, qualified, qualified_imports

_WHOLE_NUMBERS: Final = frozenset(
    f"math.{name}" for name in ("ceil", "comb", "factorial", "floor", "gcd", "isqrt", "lcm", "perm", "prod")
)
_METHODS: Final = frozenset({"total_seconds", "timestamp", "as_integer_ratio", "is_integer"})


def floats(tree: ast.AST) -> Found:
    """Where a float is made. Asking whether a value is one (``isinstance``, ``case float()``) is none."""
    imports, bound = qualified_imports(tree), bound_names(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=float() | complex()):
                yield found(node, "FLOAT", "a floating-point literal")
            case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
                yield found(node, "FLOAT", "a division with /")
            case ast.Call(func=ast.Name(id="float" | "complex" as name)) if name not in bound:
                yield found(node, "FLOAT", f"call of {name}")
            case ast.Call(func=ast.Attribute(attr=name)) if name in _METHODS:
                yield found(node, "FLOAT", f"call of .{name}")
            case ast.AnnAssign(annotation=annotation) | ast.arg(annotation=ast.expr() as annotation):
                if _names_float(annotation):
                    yield found(node, "FLOAT", "a field, variable or parameter of type float")
            case ast.Attribute():
                name = qualified(node, imports) or ""
                if name.startswith("math.") and name not in _WHOLE_NUMBERS:
                    yield found(node, "FLOAT", f"use of {name}")
            case ast.ImportFrom(module="math", names=aliases):
                for alias in aliases:
                    if f"math.{alias.name}" not in _WHOLE_NUMBERS:
                        yield found(node, "FLOAT", f"use of math.{alias.name}")


def _names_float(annotation: ast.expr) -> bool:
    return any(
        isinstance(node, ast.Name) and node.id in ("float", "complex") for node in ast.walk(annotation)
    )
