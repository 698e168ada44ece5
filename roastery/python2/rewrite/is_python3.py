"""Which files are Python 3 already, and stay as they are."""

from __future__ import annotations

import ast
import warnings

_NEWER = (
    ast.AnnAssign, ast.AsyncFor, ast.AsyncFunctionDef, ast.AsyncWith, ast.Await, ast.JoinedStr,
    ast.Match, ast.MatMult, ast.NamedExpr, ast.Nonlocal, ast.Starred, ast.YieldFrom,
)  # fmt: skip


def python3_only(text: str) -> bool:
    """Whether Python 3 takes the text and Python 2 would not have: an f-string, an annotation,
    ``nonlocal``, ``print(x, file=f)`` without the print function, and so on."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    function = any(
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and any(name.name == "print_function" for name in node.names)
        for node in tree.body
    )
    called = {
        part
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for part in node.args
        if isinstance(part, ast.Starred)
    }
    return any(_newer(node, function) for node in ast.walk(tree) if node not in called)


def _newer(node: ast.AST, print_function: bool) -> bool:
    if isinstance(node, _NEWER):
        return True
    if isinstance(node, ast.FunctionDef | ast.Lambda):
        arguments = node.args
        every = (*arguments.posonlyargs, *arguments.args, arguments.vararg, arguments.kwarg)
        return bool(
            arguments.kwonlyargs
            or arguments.posonlyargs
            or any(argument is not None and argument.annotation for argument in every)
            or (isinstance(node, ast.FunctionDef) and node.returns)
        )
    if isinstance(node, ast.ClassDef):
        return bool(node.keywords)
    if isinstance(node, ast.Raise):
        return node.cause is not None
    if isinstance(node, ast.Call) and not print_function:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        return name == "print" and bool(node.keywords)
    return False
