"""No module needs itself: imports form no circle, deferred ones and those of types included.

Read from the sources: imports at a module's top, in functions and under ``TYPE_CHECKING``; modules
that a string names, since ``import_module`` gets it here or elsewhere; and whole folders, of which
``pkgutil`` finds what is in them. Of two
modules in a circle neither can be read, tested or replaced without the other. What runs when a
module is imported must form none either where the packages that lead to a module count as well.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator, Mapping, Set
from pathlib import Path

from tests.project.test_layering import MAY_IMPORT, ROOT, parse, run_on_import, sources

Graph = Mapping[str, Set[str]]


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(
    tree: ast.AST, package: tuple[str, ...], modules: Set[str], strings: bool = True
) -> Iterator[str]:
    """The modules, of ``modules``, that a file of ``package`` imports, or names in strings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*above, *filter(None, [node.module])))
            names = [f"{base}.{alias.name}" for alias in node.names]
        elif strings and isinstance(node, ast.Constant) and "." in str(node.value):
            names = [str(node.value)] if node.value in modules else []
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("iter_modules"):
            names = found_in_folder(node, package, modules)
        else:
            continue
        for name in names:
            # A name that is no module is something in the module before it.
            found = name if name in modules else name.rpartition(".")[0]
            if found in modules:
                yield found


def found_in_folder(call: ast.Call, package: tuple[str, ...], modules: Set[str]) -> list[str]:
    """The modules that ``iter_modules(folder.__path__)`` finds, or in a package's own file
    ``iter_modules(__path__)``; the folder is one that lies beside the file."""
    folder = ast.unparse(call.args[0]).removesuffix("__path__").removesuffix(".")
    inside = ".".join((*package, *filter(None, [folder]))) + "."
    found = [name for name in modules if name.startswith(inside)]
    assert found, f"{inside}: no folder of ours"
    return [name for name in found if "." not in name.removeprefix(inside)]


def outer_packages(name: str, package: tuple[str, ...]) -> Iterator[str]:
    """What runs before the module: the packages around it, but for those that are loading while
    they load the importer."""
    parts = tuple(name.split("."))
    for count in range(1, len(parts)):
        if parts[:count] != package[:count]:
            yield ".".join(parts[:count])


@functools.cache
def import_graphs() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Of every module of ours the modules of ours that it imports; and those that are loaded then,
    before it is."""
    files = {module_name(path): path for package in MAY_IMPORT for path in sources(package)}
    named, loaded = {}, {}
    for name, path in files.items():
        tree, package = parse(path)
        named[name] = set(imported(tree, package, files.keys())) - {name}
        at_load = set(imported(run_on_import(tree), package, files.keys(), False))
        outer = {p for n in at_load for p in outer_packages(n, package)}
        loaded[name] = (at_load | outer) - {name}
    return named, loaded


def circles(graph: Graph) -> list[list[str]]:
    """Circles, until none is left: modules that each import the next, and the last the first."""
    left = {name: set(targets) for name, targets in graph.items()}
    found = []
    while True:
        while idle := [name for name, targets in left.items() if not targets & left.keys()]:
            for name in idle:
                del left[name]
        if not left:
            return found
        path = [min(left)]
        while (after := min(left[path[-1]] & left.keys())) not in path:
            path.append(after)
        found.append(path[path.index(after) :])
        for name in found[-1]:
            del left[name]


def shown(circle: list[str]) -> str:
    return " -> ".join([*circle, circle[0]])


def test_imports_form_no_circle() -> None:
    named, loaded = import_graphs()
    assert "roastery.api.compiling" in named["roastery"] - loaded["roastery"]
    assert "roastery.files" in loaded["compiler.pipeline"] - named["compiler.pipeline"]
    assert "roastery.caffe" in named["roastery"]
    for finder in ("frontends.lowering.known_layers", "roastery.cli.registry", "ir.ops"):
        assert len(named[finder]) > 10, f"{finder} finds modules by their folder"
    for graph in (named, loaded):
        assert not circles(graph), "\n".join(map(shown, circles(graph)))


def test_folders_of_a_room_import_each_other_in_no_circle() -> None:
    folders: dict[str, set[str]] = {}
    for name, targets in import_graphs()[0].items():
        around = {".".join(n.split(".")[:2]) for n in targets if n.count(".") > 1}
        if name.count(".") > 1:
            folders.setdefault(folder := ".".join(name.split(".")[:2]), set()).update(around)
            folders[folder].discard(folder)
    assert {"runtime.data", "runtime.logging"} <= folders.keys()
    assert not circles(folders), "\n".join(map(shown, circles(folders)))


def test_circles_are_found() -> None:
    graph = {
        "start": {"a"},
        "a": {"b", "leaf"},
        "b": {"c"},
        "c": {"b"},
        "leaf": set(),
        "x": {"x.y"},
        "x.y": {"x", "leaf"},
    }
    assert [shown(circle) for circle in circles(graph)] == ["b -> c -> b", "x -> x.y -> x"]
    assert circles({"a": {"b"}, "b": {"c"}, "c": set()}) == []


def test_imports_of_all_kinds_are_seen() -> None:
    tree = ast.parse(
        "from __future__ import annotations\n"
        "import numpy as np\n"
        "from typing import TYPE_CHECKING\n"
        "from . import near\n"
        "from .near import thing\n"
        "from ..other.deep import Thing\n"
        "if TYPE_CHECKING:\n    from .typed import Type\n"
        "def f():\n    import top.late\n    from top import package\n"
        "def g():\n    importlib.import_module('top.named')\n"
        "PLACES = {'thing': 'top.told'}\n"
        "pkgutil.iter_modules(folder.__path__)\n"
    )
    expected = {
        "top.here.folder.first", "top.here.folder.second", "top.here.near", "top.here.typed",
        "top.late", "top.named", "top.other.deep", "top.package", "top.told",
    }  # fmt: skip
    modules = expected | {"top", "top.here", "top.other"}
    assert set(imported(tree, ("top", "here"), modules)) == expected
    assert list(outer_packages("top.other.deep.er", ("top", "here"))) == [
        "top.other", "top.other.deep",
    ]  # fmt: skip
