"""Rewritten source to code whose tracebacks name the lines of the file as it is."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Sequence
from types import CodeType
from typing import Any, Literal

from .converter import Converted

CodeKind = Literal["exec", "eval", "single"]


def compile_converted(
    converted: Converted, before: str, filename: str, kind: CodeKind = "exec"
) -> CodeType:
    """Compile it under the name and with the lines of the file that it came from.

    Args:
        before: the text that was rewritten, for lines that show up in tracebacks.

    Raises SyntaxError, with the file's own line.
    """
    with warnings.catch_warnings():
        # "\d" in a string, `is` with a number: Python 2 said nothing.
        warnings.simplefilter("ignore", SyntaxWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        if converted.python3:
            return _code(compile(converted.text, filename, kind, dont_inherit=True))
        tree = tree_of(converted, before, filename, kind)
        try:
            return _code(compile(tree, filename, kind, dont_inherit=True))
        except SyntaxError as error:
            error.text = error.text or _line(before, error.lineno or 0)
            raise


def tree_of(converted: Converted, before: str, filename: str, kind: CodeKind = "exec") -> Any:
    """The tree of rewritten source, each node with its line in the file that it came from."""
    try:
        tree = ast.parse(converted.text, filename, kind)
    except SyntaxError as error:
        if not converted.python3:
            _name_line(error, converted, before)
        raise
    if not converted.python3:
        _move(tree, converted, before)
        tree = _Meanings().visit(tree)
    return tree


class _Meanings(ast.NodeTransformer):
    """``a < b`` to ``py2_lt(a, b)``: None, numbers and texts had an order. ``str(x)`` and
    ``"%s" % x`` to ``py2_str`` and ``py2_format``: bytes were strings, and floats had 12 digits.
    ``a + b`` to ``py2_add(a, b)``: beside a number of Python's, a small one of numpy's was wide.

    Here and not in the text, where it would hide all else that is changed.
    """

    def visit_Compare(self, node: ast.Compare) -> Any:
        self.generic_visit(node)
        name = _ORDERS.get(type(node.ops[0]))
        sides = [node.left, *node.comparators]
        if len(sides) != 2 or name is None or all(map(_is_number, sides)):
            return node
        return _call(name, sides, node)

    def visit_Call(self, node: ast.Call) -> Any:
        self.generic_visit(node)
        function = node.func
        if not isinstance(function, ast.Name) or function.id not in _CALLED:
            return node
        if len(node.args) != 1 or node.keywords or isinstance(node.args[0], ast.Starred):
            return node
        return _call(_CALLED[function.id], node.args, node, [function])

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        """A method that is handed on: ``filter(d.has_key, x)``, ``read = f.next``."""
        self.generic_visit(node)
        if node.attr not in _METHODS or not isinstance(node.ctx, ast.Load):
            return node
        return _call(
            "py2_method", [node.value, ast.copy_location(ast.Constant(node.attr), node)], node
        )

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        self.generic_visit(node)
        sides = [node.left, node.right]
        text = node.left.value if isinstance(node.left, ast.Constant) else None
        if isinstance(text, str) and isinstance(node.op, ast.Mod):
            return _call("py2_format", sides, node) if "%s" in text else node
        name = _OPERATORS.get(type(node.op))
        if name is None or any(map(_is_text_or_list, sides)) or all(map(_is_number, sides)):
            return node
        return _call(f"py2_{name}", sides, node)

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        self.generic_visit(node)
        name, target, value = _OPERATORS.get(type(node.op)), node.target, node.value
        if name not in ("add", "sub", "mul") or _is_text_or_list(value):
            return node
        if isinstance(target, ast.Name):
            if isinstance(value, ast.Constant) and value.value == 1:  # it counts
                return node
            now = ast.copy_location(ast.Name(target.id, ast.Load()), target)
            made = _call(f"py2_i{name}", [now, value], value)
            return ast.copy_location(ast.Assign([target], made), node)
        into = ast.copy_location(ast.Name(f"py2_i{name}", ast.Load()), node)
        if isinstance(target, ast.Subscript) and not _has_slice(target.slice):
            made = _call("py2_into_item", [into, target.value, target.slice, value], value)
        elif isinstance(target, ast.Attribute) and not target.attr.startswith("__"):
            name_of = ast.copy_location(ast.Constant(target.attr), target)
            made = _call("py2_into_attribute", [into, target.value, name_of, value], value)
        else:
            return node
        return ast.copy_location(ast.Expr(made), node)


def _call(name: str, values: list[ast.expr], node: ast.expr, more: Sequence[ast.expr] = ()) -> Any:
    function = ast.copy_location(ast.Name(name, ast.Load()), node)
    return ast.copy_location(ast.Call(function, [*values, *more], []), node)


_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Mod: "mod",
    ast.Pow: "pow",
}


def _is_text_or_list(node: ast.expr) -> bool:
    """Whether it is seen to be no number."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str)
    return isinstance(node, ast.List | ast.Tuple | ast.ListComp | ast.Dict)


def _has_slice(key: ast.expr) -> bool:
    parts = key.elts if isinstance(key, ast.Tuple) else [key]
    return any(isinstance(part, ast.Slice | ast.Starred) for part in parts)


_METHODS = ("has_key", "iteritems", "iterkeys", "itervalues", "next")
_CALLED = {"bytearray": "py2_bytearray", "bytes": "py2_str", "str": "py2_str"}
_ORDERS: dict[type[ast.cmpop], str] = {
    ast.Lt: "py2_lt",
    ast.LtE: "py2_le",
    ast.Gt: "py2_gt",
    ast.GtE: "py2_ge",
}


def _is_number(node: ast.expr) -> bool:
    """Whether it is seen to be a number."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int | float)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in ("len", "int", "float", "abs")
    return isinstance(node, ast.UnaryOp) and _is_number(node.operand)


def _name_line(error: SyntaxError, converted: Converted, before: str) -> None:
    if error.lineno and error.lineno <= len(converted.lines):
        line = converted.lines[error.lineno - 1]
        error.lineno = error.end_lineno = line
        error.text = _line(before, line)
        error.offset = error.end_offset = None


def _line(text: str, number: int) -> str:
    lines = text.split("\n")
    return lines[number - 1] if 0 < number <= len(lines) else ""


def _code(code: Any) -> CodeType:
    assert isinstance(code, CodeType)
    return code


def _move(tree: ast.AST, converted: Converted, before: str) -> None:
    """Give each node its line in the file; where the line was changed, all of it."""
    old, new = before.split("\n"), converted.text.split("\n")
    lines = converted.lines
    for node in ast.walk(tree):
        if not hasattr(node, "lineno"):
            continue
        place: Any = node
        first, last = place.lineno, place.end_lineno or place.lineno
        place.lineno = lines[min(first, len(lines)) - 1]
        place.end_lineno = max(place.lineno, lines[min(last, len(lines)) - 1])
        if _same(old, new, place.lineno, first) and _same(old, new, place.end_lineno, last):
            continue
        place.col_offset = 0
        place.end_col_offset = len(old[min(place.end_lineno, len(old)) - 1].encode())


def _same(old: list[str], new: list[str], old_line: int, new_line: int) -> bool:
    return old_line <= len(old) and old[old_line - 1] == new[new_line - 1]
