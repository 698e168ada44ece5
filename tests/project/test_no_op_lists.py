"""No pass lists ops: what it wants to know of one, the op says.

Code may build any op. It may not ask which op it has in front of it, outside of the rules that
belong to ops (folders named ``rules``). Exempt are ops that are notions of the compiler itself:
``Map``, whose expressions passes rewrite, ``Fused``, the groups that they make, ``StepLoop``, whose
body they rewrite, and for the runtime ``HostCall``, the functions that it calls.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import ir.ops  # noqa: F401  (registers the ops)
from ir.op import OPS
from tests.project.test_layering import ROOT, parse, sources

NOTIONS = {
    "compiler": {"Map", "Fused", "StepLoop"},
    "runtime": {"HostCall"},
    "roastery": {"Fused"},
}
CLASSES = {cls.__name__ for cls in OPS.values()}


def is_name(node: ast.expr) -> bool:
    return ast.unparse(node).endswith("op.name")


def mistakes(tree: ast.Module, exempt: set[str]) -> Iterator[tuple[int, str]]:
    """Lines that ask which op there is, by its class, its name, or what attributes it has."""
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ir.ops.")
        for alias in node.names
        if alias.name in CLASSES - exempt
    }
    built = {id(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, lineno=line) if name in imported and id(node) not in built:
                yield line, f"asks for {name}"
            case ast.Import(names=names, lineno=line) if any(
                alias.name.startswith("ir.ops.") for alias in names
            ):
                yield line, "imports a module of ops as a whole"
            case ast.ImportFrom(module="ir.op", names=names, lineno=line) if any(
                alias.name == "OPS" for alias in names
            ):
                yield line, "looks ops up by name"
            case ast.Compare(left=left, comparators=others, lineno=line) if any(
                is_name(operand) for operand in (left, *others)
            ):
                yield line, "compares an op's name"
            case (
                ast.Subscript(slice=key, lineno=line)
                | ast.Call(func=ast.Attribute(attr="get"), args=[key, *_], lineno=line)
            ) if is_name(key):
                yield line, "looks up an op's name"
            case ast.Call(
                func=ast.Name(id="getattr" | "hasattr" as how), args=[asked, *_], lineno=line
            ) if ast.unparse(asked).split(".")[-1] == "op":
                yield line, f"asks an op by {how}"


@pytest.mark.parametrize("package", NOTIONS)
def test_no_pass_lists_ops(package: str) -> None:
    wrong = []
    for path in sources(package):
        where = path.relative_to(ROOT)
        if "rules" in where.parts:
            continue
        tree, _ = parse(path)
        wrong += [f"{where}:{line}: {what}" for line, what in mistakes(tree, NOTIONS[package])]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("from ir.ops.movement import Slice\nx = isinstance(op, Slice)", "asks for Slice"),
        ("from ir.ops.movement import Slice\nT = {Slice: 1}", "asks for Slice"),
        ("from ir.ops.movement import Slice as S\nx = type(op) is S", "asks for S"),
        ("import ir.ops.matmul", "imports a module of ops as a whole"),
        ("from ir.op import OPS", "looks ops up by name"),
        ("x = node.op.name in ('conv', y)", "compares an op's name"),
        ("x = TABLE[op.name]", "looks up an op's name"),
        ("x = TABLE.get(node.op.name, 0)", "looks up an op's name"),
        ("x = getattr(node.op, 'axes', ())", "asks an op by getattr"),
        ("x = hasattr(op, 'axis')", "asks an op by hasattr"),
        ("from ir.ops.movement import Slice\nx = b.emit(Slice(0, 1, 2), y)", ""),
        ("from ir.ops.pointwise import Map\nx = isinstance(op, Map)", ""),
        ("x = getattr(error, 'field', None)", ""),
    ],
)
def test_the_check_finds_mistakes(code: str, found: str) -> None:
    assert [what for _, what in mistakes(ast.parse(code), {"Map"})] == [found][: bool(found)]


def test_rules_are_found_by_their_folders() -> None:
    """What registers rules is imported with its folder: no file of one is imported by name."""
    folders = [p.parent for p in (ROOT / "compiler").rglob("rules/__init__.py")]
    assert len(folders) == 4
    for folder in folders:
        module = ".".join(folder.relative_to(ROOT).parts)
        package = importlib.import_module(module)
        names = {p.stem for p in Path(folder).glob("*.py")} - {"__init__"}
        assert names and all(hasattr(package, name) for name in names)
        for path in sources("compiler"):
            if folder not in path.parents:
                assert f"{module}." not in path.read_text() and ".rules." not in path.read_text()
