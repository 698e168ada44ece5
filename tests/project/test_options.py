"""What was asked for is decided once, by the public API: nothing below makes options of its own."""

from __future__ import annotations

import ast

import pytest

from tests.project.test_layering import ROOT, parse, sources

MAKERS = {
    "compiler/options.py",  # reads them again from where they were stored
    "runtime/artifact/manifest.py",  # artifacts that say nothing of them
    "compiler/passes/context.py",  # for passes that are called by themselves
    "roastery/devices/compile_options.py",
}


def makes_options(tree: ast.AST) -> list[int]:
    """Lines that call the class, or hand it over to be called."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [
        call.lineno
        for call in calls
        for part in (call.func, *call.args, *(keyword.value for keyword in call.keywords))
        if isinstance(part, ast.Name) and part.id == "CompileOptions"
    ]


@pytest.mark.parametrize("package", ["compiler", "frontends", "runtime", "roastery"])
def test_only_the_face_makes_options(package: str) -> None:
    found = {
        f"{path.relative_to(ROOT)}:{line}"
        for path in sources(package)
        for line in makes_options(parse(path)[0])
        if str(path.relative_to(ROOT)) not in MAKERS
    }
    assert not found


def test_what_is_looked_for_is_found() -> None:
    text = "def f(o: CompileOptions) -> CompileOptions:\n    return field(make=CompileOptions)\n"
    assert makes_options(ast.parse(text)) == [2]
    assert makes_options(ast.parse("bind(graph, CompileOptions())")) == [1]
